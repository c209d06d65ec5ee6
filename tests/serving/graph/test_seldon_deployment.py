"""SeldonDeployments: those of the user's guide as they are written, older forms, defaults, and what is refused."""

import dataclasses
import warnings
from pathlib import Path

import pytest
import yaml

from serving.errors import LoadError
from serving.graph.deployment import Deployment
from serving.graph.environment import deployments_of
from serving.graph.seldon_deployment import read_seldon
from serving.settings import ServingSettings

GUIDE = Path(__file__).parents[2] / "golden" / "seldon_deployment"
ROW = [0.9, 0.1, 0.2]


def read(text, name="given"):
    (found,) = read_seldon(text if isinstance(text, str) else yaml.safe_dump(text), name)
    return found


def of_guide(name):
    return read((GUIDE / f"{name}.yaml").read_text(), name)


def shown(deployment):
    return [
        (each.name, each.weight, each.is_shadow, [(node.name, node.kind, node.uri) for node in each.graph.walk()])
        for each in deployment.predictors
    ]


WRITTEN = {
    "single_model": [("default", 100, False, [("classifier", "MODEL", "models:/my_model/production")])],
    "ab_test": [
        ("model-a", 50, False, [("model-a", "MODEL", "models:/my_model/1")]),
        ("model-b", 50, False, [("model-b", "MODEL", "models:/my_model/2")]),
    ],
    "canary": [
        ("main", 90, False, [("main", "MODEL", "models:/my_model/production")]),
        ("canary", 10, False, [("canary", "MODEL", "models:/my_model/staging")]),
    ],
    "shadow": [
        ("main", 100, False, [("main", "MODEL", "models:/my_model/production")]),
        ("shadow", 100, True, [("shadow", "MODEL", "models:/my_model/experimental")]),
    ],
    "ensemble": [
        (
            "ensemble",
            100,
            False,
            [
                ("combiner", "COMBINER", ""),
                ("model-1", "MODEL", "models:/rf_model/production"),
                ("model-2", "MODEL", "models:/gb_model/production"),
            ],
        )
    ],
    "from_mlflow": [("default", 100, False, [("classifier", "MODEL", "models:/my_commodity_model/production")])],
    "explainer": [("default", 100, False, [("model", "MODEL", "models:/commodity_price_predictor/production")])],
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_guides_yaml_is_read_as_it_is_written(name):
    assert shown(of_guide(name).deployment) == WRITTEN[name]


def local(deployment: Deployment, file) -> Deployment:
    """With a file in the place of the registry's models."""

    def node(each):
        uri = str(file) if each.uri else ""
        return dataclasses.replace(each, uri=uri, class_name="", children=tuple(node(child) for child in each.children))

    predictors = tuple(dataclasses.replace(each, graph=node(each.graph)) for each in deployment.predictors)
    return dataclasses.replace(deployment, predictors=predictors)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_the_guide_deploys_answers(run, model_files, estimators, name):
    deployment = local(of_guide(name).deployment, model_files["forest"])
    server = run(deployment)
    path = f"/seldon/data-platform/{deployment.name}/api/v1.0/predictions"
    answer = server.post(path, {"data": {"ndarray": [ROW]}})
    assert answer.status == 200
    assert answer.json["data"]["ndarray"] == estimators["forest"].predict([ROW]).tolist()


def test_an_explainer_is_accepted_and_its_route_says_why_it_does_not_answer(run, model_files):
    server = run(local(of_guide("explainer").deployment, model_files["forest"]))
    for path in (
        "/seldon/data-platform/explainable-model-explainer/default/api/v1.0/explain",
        "/api/v1.0/explanations",
        "/v2/models/explainable-model/explain",
    ):
        body = {"data": {"ndarray": [ROW]}} if "v2" not in path else {"inputs": [ROW]}
        answer = server.post(path, body)
        assert answer.status == 501
        assert "the explainer AnchorTabular of explainable-model is not served" in answer.raw.decode()
    assert any("not served" in note for note in of_guide("explainer").notes)


def test_what_the_guide_leaves_out_is_filled_in_and_told():
    notes, of_ensemble = of_guide("ab_test").notes, of_guide("ensemble").notes
    assert "a node without a name is called as its predictor, model-a" in notes
    assert "node model-a has a modelUri and no implementation: what its file holds decides" in notes
    assert "node combiner: AVERAGE_COMBINER is an implementation, and no type; taken as one" in of_ensemble


def test_what_is_no_seldon_deployment_is_refused_with_its_kind():
    with pytest.raises(LoadError, match="kind 'KongService' is refused"):
        read_seldon((GUIDE / "kong.yaml").read_text(), "kong")


def test_replicas_and_resources_go_into_the_function():
    assert of_guide("single_model").shape.workers == 3
    assert of_guide("canary").shape.workers == 3
    assert of_guide("from_mlflow").shape.env_from == ({"secretRef": {"name": "mlflow-credentials"}},)
    containers = [
        {
            "name": each,
            "image": "x:1",
            "env": [{"name": "MODEL_NAME", "value": "a.B"}, {"name": "LEVEL", "value": "3"}],
            "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}},
        }
        for each, cpu in (("one", "500m"), ("two", "1"))
    ]
    metrics = [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
        {"type": "Resource", "resource": {"name": "memory", "targetAverageUtilization": 80}},
    ]
    component = {
        "spec": {"containers": containers},
        "hpaSpec": {"minReplicas": 2, "maxReplicas": 5, "metrics": metrics},
    }
    graph = {"name": "one", "type": "TRANSFORMER", "children": [{"name": "two", "type": "MODEL"}]}
    found = read({"spec": {"predictors": [{"name": "p", "graph": graph, "componentSpecs": [component]}]}})
    assert found.shape.spec() == {
        "minReplicas": 2,
        "maxReplicas": 5,
        "targetCPU": 70,
        "resources": {"requests": {"cpu": "1500m", "memory": str(2 << 30)}},
    }
    assert found.shape.env == {"LEVEL": "3"}
    assert [node.class_name for node in found.deployment.predictors[0].graph.walk()] == ["a.B", "a.B"]
    told = " ".join(found.notes)
    assert "image: the class is run, not its image" in told and "a function scales by its cpu alone" in told


OLDEST = """
apiVersion: machinelearning.seldon.io/v1alpha1
kind: SeldonDeployment
metadata:
  labels: {app: seldon}
  name: old
spec:
  name: old-deployment
  predictors:
  - componentSpec:
      spec:
        containers:
        - {image: "seldonio/mean_classifier:0.6", imagePullPolicy: IfNotPresent, name: mean-classifier, resources: {requests: {memory: 1Mi}},
           env: [{name: MODEL_NAME, value: MeanClassifier}]}
        terminationGracePeriodSeconds: 20
    graph: {children: [], name: mean-classifier, endpoint: {type: REST}, type: MODEL, subtype: microservice,
            parameters: [{name: intValue, type: INT, value: "2"}, {name: rate, type: FLOAT, value: "0.5"}, {name: deep, type: BOOL, value: "true"}]}
    name: sdep
    replicas: 1
"""  # noqa: E501


def test_the_oldest_form_is_read():
    found = read(OLDEST)
    node = found.deployment.predictors[0].graph
    assert (found.deployment.name, node.class_name) == ("old", "MeanClassifier.MeanClassifier")
    assert node.parameters == {"intValue": 2, "rate": 0.5, "deep": True}
    assert {note.partition(":")[0].rpartition(".")[2] for note in found.notes} == {
        "labels", "image", "imagePullPolicy", "terminationGracePeriodSeconds", "endpoint", "subtype"
    }  # fmt: skip


@pytest.mark.parametrize("version", ["v1", "v1alpha3", "v1alpha2"])
def test_other_versions_are_read(version):
    document = yaml.safe_load((GUIDE / "single_model.yaml").read_text())
    assert read({**document, "apiVersion": f"machinelearning.seldon.io/{version}"}).deployment.name == "my-model"


def test_several_documents_are_several_deployments():
    text = "\n---\n".join((GUIDE / f"{name}.yaml").read_text() for name in ("single_model", "explainer"))
    assert [each.deployment.name for each in read_seldon(text, "x")] == ["my-model", "explainable-model"]
    with pytest.raises(LoadError, match="have the same name"):
        read_seldon("\n---\n".join([(GUIDE / "single_model.yaml").read_text()] * 2), "x")


def test_annotations_say_how_long_and_by_what():
    found = read({
        "metadata": {"annotations": {"seldon.io/rest-timeout": "1500", "leeway/seed": "7"}},
        "spec": {
            "annotations": {"leeway/sticky": "X-User", "seldon.io/engine-separate-pod": "true"},
            "predictors": [{"name": "p", "graph": {"name": "m", "modelUri": "m.pkl"}}],
        },
    })  # fmt: skip
    deployment = found.deployment
    assert (deployment.seed, deployment.sticky, deployment.predictors[0].graph.timeout_s) == (7, "x-user", 1.5)
    assert "annotation seldon.io/engine-separate-pod: it means nothing here" in found.notes


MODEL = {"name": "m", "modelUri": "m.pkl"}


def predictors(*given, **spec):
    return {"spec": {"predictors": [{"name": f"p{i}", "graph": MODEL, **each} for i, each in enumerate(given)], **spec}}


REFUSED = {
    "Graph contains no predictors": {"spec": {"predictors": []}},
    "Duplicate predictor name": predictors({"name": "x", "traffic": 50}, {"name": "x", "traffic": 50}),
    "Traffic must sum to 100 for multiple predictors": predictors({"traffic": 50}, {"traffic": 40}),
    "Traffic must sum to 100 for multiple predictors: 0": predictors({}, {}),
    "Traffic must sum be 100 for a single predictor when set": predictors({"traffic": 40}),
    "Shadow can not exist as only predictor": predictors({"shadow": True}),
    "Multiple shadows are not allowed": predictors({}, {"shadow": True}, {"shadow": True}),
    "shadow traffic is illegal": predictors({}, {"shadow": True, "traffic": 101}),
    "traffic is 'half'": predictors({"traffic": "half"}, {}),
    "Can't find container for Predictive Unit": predictors({"graph": {"name": "m"}}),
    "modelUri required when using standalone servers": predictors({"graph": {"implementation": "SKLEARN_SERVER"}}),
    "Invalid protocol": predictors({}, protocol="soap"),
    "Invalid transport": predictors({}, transport="grpc"),
    "Invalid serverType": predictors({}, serverType="kafka"),
    "spec.oauth_key is refused": predictors({}, oauth_key="k"),
    "spec.predictors.*graph.modelURI: a SeldonDeployment has no such field": predictors({"graph": {"modelURI": "m"}}),
    "spec.predictors.*graph.naem: a": predictors({"graph": {**MODEL, "children": [{"naem": "x"}]}}),
    "type NOT_THERE is not known": predictors({"graph": {**MODEL, "type": "NOT_THERE"}}),
    "method FLY is not known": predictors({"graph": {**MODEL, "methods": ["FLY"]}}),
    "parameter n is 'x' of type 'INT'": predictors(
        {"graph": {**MODEL, "parameters": [{"name": "n", "value": "x", "type": "INT"}]}}
    ),
    "apiVersion 'v1' is not known": {"apiVersion": "v1", **predictors({})},
    "expected milliseconds": {"metadata": {"annotations": {"seldon.io/rest-timeout": "soon"}}, **predictors({})},
    "predictor 0 has no graph": {"spec": {"predictors": [{"name": "p"}]}},
    "spec.predictors\\[\\] is 3; expected an object": {"spec": {"predictors": [3]}},
    "metadata.name is 'a/b'": {"metadata": {"name": "a/b"}, **predictors({})},
    "the image 'x:1' does not run here": predictors(
        {"graph": {"name": "m"}, "componentSpecs": [{"spec": {"containers": [{"name": "m", "image": "x:1"}]}}]}
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_wrong_is_told_in_seldons_words(message):
    with pytest.raises(LoadError, match=message):
        read(REFUSED[message])


@pytest.mark.parametrize("text", ["", "a: [", "3", "[1, 2]", "spec: 3"])
def test_what_is_no_document_is_told(text):
    with pytest.raises(LoadError):
        read_seldon(text, "x")


def test_the_function_takes_it_from_its_environment(start, model_files, tmp_path, caplog):
    text = f"""
spec:
  predictors:
  - name: main
    labels: {{a: b}}
    graph: {{modelUri: "{model_files["forest"]}"}}
"""
    file = tmp_path / "from-file.yaml"
    file.write_text(text)
    for given, name in ((text, "model-server"), (str(file), "from-file"), (file.as_uri(), "from-file")):
        server = start({}, seldon=given)
        assert server.get("/v2/models").json == {"models": [name]}
        assert server.post(f"/v2/models/{name}/infer", {"inputs": [ROW]}).status == 200
    assert "labels: labels of the pod" in caplog.text
    with pytest.raises(LoadError, match="give a file, a URL"):
        start({}, seldon=str(tmp_path / "gone.yaml"))
    with pytest.raises(LoadError, match="have the same name"):
        start({"from-file": model_files["forest"]}, seldon=str(file))


@pytest.fixture(scope="module")
def registry(request, tmp_path_factory, estimators):
    """An MLflow registry with the models that the guide names; its URI."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"file://{folder}/runs" if request.param == "file" else f"sqlite:///{folder}/registry.db"
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.chdir(folder)
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow.sklearn

        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        client = mlflow.MlflowClient()
        with mlflow.start_run():
            logged = mlflow.sklearn.log_model(
                estimators["forest"], name="model", serialization_format="cloudpickle",
                pip_requirements=["scikit-learn"],
            )  # fmt: skip
        for name, versions in (("my_model", 3), ("rf_model", 1), ("gb_model", 1)):
            for _ in range(versions):
                mlflow.register_model(logged.model_uri, name)
            client.transition_model_version_stage(name, "1", "Production")
        client.transition_model_version_stage("my_model", "2", "Staging")
        client.set_registered_model_alias("my_model", "experimental", "3")
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)
    return uri


@pytest.mark.slow
@pytest.mark.parametrize(
    ("registry", "name"),
    [("file", "ab_test"), ("file", "shadow"), ("sqlite", "ab_test"), ("sqlite", "ensemble")],
    indirect=["registry"],
)
def test_the_guides_yaml_runs_on_a_registry_as_it_is_written(registry, run, estimators, monkeypatch, tmp_path, name):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
    monkeypatch.chdir(tmp_path)
    settings = ServingSettings.read({"SELDON_DEPLOYMENT": str(GUIDE / f"{name}.yaml"), "MLFLOW_TRACKING_URI": registry})
    (deployment,) = deployments_of(settings)
    server = run(deployment)
    path = f"/seldon/data-platform/{deployment.name}/api/v1.0/predictions"
    answer = server.post(path, {"data": {"ndarray": [ROW]}})
    assert answer.json["data"]["ndarray"] == estimators["forest"].predict([ROW]).tolist()
