"""Models that lie elsewhere: MLflow's registry, HTTP, S3."""

import http.server
import pickle
import threading
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from leeway.model_hash import model_hash
from serving.errors import LoadError
from serving.graph.environment import deployments_of
from serving.models.load import load
from serving.models.resolve_uri import scheme_of
from serving.models.stored_rows import StoredRows
from serving.settings import ServingSettings
from serving.types import InferenceRequest

ROWS = np.random.default_rng(7).normal(size=(100, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)
SENT = ROWS[:5].tolist()


@pytest.fixture
def fetched(tmp_path):
    """What a function with these variables loads as its model m."""

    def of(uri, **variables):
        settings = ServingSettings.read({"SERVING_MODEL_m": uri, **variables})
        return load(deployments_of(settings)[0].predictors[0].graph, "", tmp_path / "home")

    return of


def says(model):
    return model.model.predict(InferenceRequest(id="", rows=SENT)).outputs


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("models:/m/1", "models"),
        ("runs:/1/model", "runs"),
        ("store://models/p/m", "store"),
        ("s3://b/m.pkl", "s3"),
        ("file:///m.pkl", ""),
        ("/m.pkl", ""),
        ("folder/m.pkl", ""),
        ("c:m.pkl", ""),
    ],
)
def test_what_is_a_uri(uri, scheme):
    assert scheme_of(uri) == scheme


@pytest.fixture(scope="module", params=["file", "sqlite"])
def registry(request, tmp_path_factory):
    """(its URI, the fitted model, the id of its run) of an MLflow registry with a model elec in version 1."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"file://{folder}/runs" if request.param == "file" else f"sqlite:///{folder}/mlflow.db"
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.chdir(folder)
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow.sklearn

        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        mlflow.set_experiment("elec") if request.param == "file" else mlflow.create_experiment(
            "elec", artifact_location=f"file://{folder}/artifacts"
        )
        fitted = LogisticRegression().fit(ROWS, LABELS)
        with mlflow.start_run(experiment_id=mlflow.get_experiment_by_name("elec").experiment_id) as run:
            mlflow.sklearn.log_model(
                fitted, name="model", registered_model_name="elec", serialization_format="cloudpickle",
                input_example=ROWS[:3],
            )  # fmt: skip
        client = mlflow.MlflowClient()
        client.set_registered_model_alias("elec", "champion", 1)
        client.transition_model_version_stage("elec", "1", "Production")
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)
    return uri, fitted, run.info.run_id


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["models:/elec/1", "models:/elec/Production", "models:/elec@champion", "runs:/{}/model"]
)
def test_a_model_of_mlflows_registry(registry, fetched, path, monkeypatch, tmp_path):
    uri, fitted, run = registry
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.chdir(tmp_path)
    model = fetched(path.format(run), MLFLOW_TRACKING_URI=uri)
    assert says(model) == fitted.predict(ROWS[:5]).tolist()
    assert model.warnings == ()
    assert len(StoredRows.read(next(tmp_path.rglob("serving_input_example.json"))).rows) == 3


@pytest.mark.slow
def test_a_model_that_is_not_in_the_registry(registry, fetched, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry[0])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoadError, match=r"SERVING_MODEL_m=models:/elec/7 cannot be fetched: .*elec"):
        fetched("models:/elec/7", MLFLOW_TRACKING_URI=registry[0])


@pytest.mark.slow
def test_code_of_a_registry_that_nobody_named_is_not_run(registry, fetched, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry[0])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoadError, match="nobody vouches for it: set SERVING_MODEL_HASH_m"):
        fetched("models:/elec/1")


@pytest.fixture
def web(tmp_path):
    """The address of a folder that is served over HTTP, and the folder."""
    folder = tmp_path / "web"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_a_file_over_http_is_unpickled_only_where_somebody_vouches_for_it(fetched, web):
    address, folder = web
    fitted = LogisticRegression().fit(ROWS, LABELS)
    (folder / "model.pkl").write_bytes(pickle.dumps(fitted))
    uri, sha256 = f"{address}/model.pkl", model_hash(folder / "model.pkl")
    with pytest.raises(LoadError, match="runs code when it is loaded, and nobody vouches for it"):
        fetched(uri)
    with pytest.raises(LoadError, match="SERVING_MODEL_HASH_m says"):
        fetched(uri, SERVING_MODEL_HASH_m="0" * 64)
    for vouched in ({"SERVING_MODEL_HASH_m": sha256}, {"SERVING_TRUSTED_MODELS": f"s3://models/, {address}/"}):
        model = fetched(uri, **vouched)
        assert says(model) == fitted.predict(ROWS[:5]).tolist() and model.sha256 == sha256


@pytest.mark.slow
def test_a_file_that_runs_no_code_needs_nobody(fetched, web):
    import skops.io

    address, folder = web
    fitted = LogisticRegression().fit(ROWS, LABELS)
    skops.io.dump(fitted, folder / "model.skops")
    assert says(fetched(f"{address}/model.skops?token=secret")) == fitted.predict(ROWS[:5]).tolist()
    with pytest.raises(LoadError) as refused:
        fetched(f"{address}/none.skops?token=secret")
    assert "cannot be fetched" in str(refused.value) and "secret" not in str(refused.value)


def test_secrets_do_not_belong_into_an_address(fetched):
    with pytest.raises(LoadError) as refused:
        fetched("s3://key:hidden@bucket/model.pkl")
    assert "in the function's environment" in str(refused.value) and "hidden" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.engine("s3")
def test_a_folder_and_a_file_on_s3(fetched, s3, monkeypatch, tmp_path):
    from pyarrow import fs

    from leeway.backends.file_system import file_system

    url = s3.url("models-of-tests")
    files, bucket, _ = file_system(url, "the tests' models")
    fitted = LogisticRegression().fit(ROWS, LABELS)
    (tmp_path / "up").mkdir()
    (tmp_path / "up/model.pkl").write_bytes(pickle.dumps(fitted))
    (tmp_path / "up/leeway-rows.json").write_bytes(StoredRows(rows=SENT).to_bytes())
    files.create_dir(f"{bucket}/elec")
    fs.copy_files(str(tmp_path / "up"), f"{bucket}/elec", fs.LocalFileSystem(), files)
    credentials, _, options = url.removeprefix("s3://").partition("@")
    key, _, secret = credentials.partition(":")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    options = options.partition("?")[2]
    trusted = {"SERVING_TRUSTED_MODELS": f"s3://{bucket}/"}
    for path in ("elec", "elec/model.pkl"):
        assert says(fetched(f"s3://{bucket}/{path}?{options}", **trusted)) == fitted.predict(ROWS[:5]).tolist()
    assert (next((tmp_path / "home/models/m").iterdir()) / "elec").is_dir()
