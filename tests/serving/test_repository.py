"""Models that are loaded and unloaded while a function serves."""

import os
import pickle
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import serving.repository
from leeway.backends import connect
from leeway.model_hash import model_hash
from leeway.settings import Settings
from leeway.workers import HOST, Worker, living, tell
from serving.models.stored_rows import StoredRows
from serving.nuclio_function import NuclioFunction
from serving.repository import GROUP
from serving.repository_row import row_of
from serving.settings import ServingSettings
from serving.types import HttpRequest

LOAD, UNLOAD, INDEX = "/v2/repository/models/m/load", "/v2/repository/models/m/unload", "/v2/repository/index"
ROWS = np.random.default_rng(5).random((200, 3))
ROW = [0.9, 0.1, 0.1]


def fitted(column, label=1):
    """Says `label` where that column is large."""
    return LogisticRegression(C=1e3).fit(ROWS, label * (ROWS[:, column] > 0.5).astype(int))


def write(path, estimator, profile=None, rows=None):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(estimator))
    for name, content in (("leeway-profile.json", profile), ("leeway-rows.json", rows)):
        (path.parent / name).unlink(missing_ok=True)
        if content is not None:
            (path.parent / name).write_bytes(content)
    return path


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "model/m.pkl", fitted(0))


@pytest.fixture
def served(start, file):
    return start({"m": file})


def predict(server):
    return server.post("/v2/models/m/infer", {"inputs": [ROW]})


@pytest.fixture
def workers(tmp_path, file):
    """Start a worker of one function, on a home that all of them share."""
    started = []

    def make(models=None, **fields):
        serving = ServingSettings(models=models or {"m": str(file)}, project="shop", **fields)
        function = NuclioFunction.start(serving, Settings(home=tmp_path / "shared", compile_after_s=3600.0), "0")
        started.append(function)
        return function

    yield make
    for function in started:
        function.close()


def ask(function, path, body=b"{}"):
    return function.gateway.answer(HttpRequest("POST", path, {"content-type": "application/json"}, body))


def says(function):
    answer = ask(function, "/m/predict", b'{"instances": [[0.9, 0.1, 0.1]]}')
    return answer.status, answer.body.decode()


def test_a_new_version_serves_without_a_restart(served, file, profile_of_rows):
    before = predict(served).json
    assert before["outputs"] == [1]
    write(file, fitted(1), profile_of_rows)
    answer = served.post(LOAD, {})
    assert (answer.status, answer.json) == (200, {"name": "m", "version": model_hash(file)[:12]})
    after = predict(served).json
    assert after["outputs"] == [0] and after["model_version"] == model_hash(file)[:12] != before["model_version"]
    known = served.get("/v2/models/m").json
    state = connect.state(served.settings, "shared")
    assert state.get(f"profile/{known['model_endpoint_uid']}") == profile_of_rows
    state.close()
    assert f'version="{model_hash(file)[:12]}"' in served.get("/metrics").raw.decode()
    first, second = served.records()
    assert (first.version, second.version) == (before["model_version"], after["model_version"])


def test_a_version_may_have_a_name(served, file):
    assert served.post(LOAD, {"parameters": {"version": "seven"}}).json["version"] == "seven"
    assert served.post("/v2/models/m/versions/seven/infer", {"inputs": [ROW]}).status == 200


def rows_of(estimator, **changes):
    rows = ROWS[:5].tolist()
    kept = {
        "outputs": estimator.predict(ROWS[:5]).tolist(),
        "probabilities": estimator.predict_proba(ROWS[:5]).tolist(),
    }
    return StoredRows(rows=rows, **{**kept, **changes}).to_bytes()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (rows_of(fitted(1), outputs=[7] * 5), "it says . to stored row 0; expected 7"),
        (rows_of(fitted(1), probabilities=[[0.5, 0.5]] * 5), "other probabilities"),
        (rows_of(fitted(1), outputs=None, probabilities=None).replace(b'"rows":[[', b'"rows":[["x",'), "does not take"),
        (b"{}", "holds no stored rows"),
    ],
)
def test_what_fails_its_self_test_replaces_nothing(served, file, rows, says):
    before = predict(served).json
    write(file, fitted(1), rows=rows)
    answer = served.post(LOAD, {})
    assert answer.status == 400 and "m stays as it is: " in answer.json["error"]
    assert re.search(says, answer.json["error"])
    after = predict(served).json
    assert (after["outputs"], after["model_version"]) == (before["outputs"], before["model_version"])


def test_what_passes_its_self_test_serves(served, file):
    write(file, fitted(1), rows=rows_of(fitted(1)))
    assert served.post(LOAD, {}).status == 200
    assert predict(served).json["outputs"] == [0]


@pytest.mark.parametrize("content", [b"junk", b""])
def test_what_cannot_be_loaded_replaces_nothing(served, file, content):
    file.write_bytes(content)
    assert served.post(LOAD, {}).status == 400
    assert predict(served).json["outputs"] == [1]


def test_unloading_and_loading_again(served):
    assert served.post(UNLOAD, {}).json == {"name": "m"}
    refused = predict(served)
    assert refused.status == 404 and "m is unloaded; POST /v2/repository/models/m/load" in refused.json["error"]
    assert served.get("/v2/models/m/ready").status == 404
    (entry,) = served.post(INDEX, {}).json
    assert (entry["state"], entry["reason"]) == ("UNAVAILABLE", "unloaded")
    assert served.post(INDEX, {"ready": True}).json == []
    assert served.post(UNLOAD, {}).status == 200
    assert served.post(LOAD, b"").status == 200
    assert predict(served).status == 200
    assert served.post(INDEX, {"ready": True}).json[0]["state"] == "READY"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v2/repository/models/other/load", {}, 404),
        ("/v2/repository/models/other/unload", {}, 404),
        (LOAD, {"parameters": {"config": "{}"}}, 400),
        (LOAD, {"parameters": {"version": 7}}, 400),
        (LOAD, {"parameters": []}, 400),
        (LOAD, b"[]", 400),
        (LOAD, b"false", 400),
        (UNLOAD, b"0", 400),
        (INDEX, {"ready": "yes"}, 400),
        ("/v2/repository/models/m/reload", {}, 404),
    ],
)
def test_what_cannot_be_done(served, path, body, status):
    answer = served.post(path, body)
    assert answer.status == status and answer.json["error"]
    assert predict(served).status == 200


def test_changing_models_asks_for_a_token_where_there_is_one(start, file):
    server = start({"m": file}, tokens=("secret",))
    assert server.post(LOAD, {}).status == 401
    assert server.post(LOAD, {}, {"x-api-key": "secret"}).status == 200


def test_a_caller_may_only_name_addresses_that_the_deployer_vouches_for(start, file, tmp_path):
    other = write(tmp_path / "others/m.pkl", fitted(1))
    for uri in (str(other), f"file://{other}", "http://127.0.0.1:1/m.onnx", "store://models/p/m", "models:/m/1"):
        answer = start({"m": file}).post(LOAD, {"parameters": {"model_uri": uri}})
        assert answer.status == 400 and "nobody vouches for" in answer.json["error"]
    server = start({"m": file}, trusted=(f"{tmp_path}/others/",))
    climbing = f"{tmp_path}/others/../model/m.pkl"
    assert server.post(LOAD, {"parameters": {"model_uri": climbing}}).status == 400
    assert server.post(LOAD, {"parameters": {"model_uri": str(other)}}).json["version"] == model_hash(other)[:12]
    assert predict(server).json["outputs"] == [0]


def test_a_class_without_a_file_is_deployed_again(start, tmp_path, monkeypatch):
    (tmp_path / "own_of_repository.py").write_text("class M:\n    def predict(self, rows):\n        return rows\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert start({"m": ""}, model_class="own_of_repository.M").post(LOAD, {}).status == 501


@pytest.mark.slow
def test_all_workers_change_before_the_call_returns(workers, file):
    one, two = workers(), workers()
    assert '"predictions":[1]' in says(one)[1] and '"predictions":[1]' in says(two)[1]
    write(file, fitted(1))
    assert ask(one, LOAD).status == 200
    assert '"predictions":[0]' in says(two)[1] and says(one)[0] == 200
    assert ask(two, UNLOAD).status == 200
    assert (says(one)[0], says(two)[0]) == (404, 404)
    assert ask(one, LOAD).status == 200
    assert (says(one)[0], says(two)[0]) == (200, 200)


@pytest.mark.slow
def test_a_worker_that_cannot_follow_is_named(workers, file, monkeypatch):
    one, two = workers(), workers()

    def cannot(*_):
        raise OSError("its disk is full")

    monkeypatch.setattr(two._repository, "_loaded", cannot)
    write(file, fitted(1))
    answer = ask(one, LOAD)
    assert answer.status == 503 and two._repository._name in answer.body.decode()
    assert "OSError: its disk is full" in answer.body.decode()
    assert '"predictions":[0]' in says(one)[1] and '"predictions":[1]' in says(two)[1]


@pytest.fixture
def shared(workers, tmp_path):
    state = connect.state(Settings(home=tmp_path / "shared"), "shared")
    yield state
    state.close()


def silent(name, host, pid):
    return Worker(name, host, pid, time.time(), {"models": 0})


def test_a_worker_that_says_nothing_is_named_in_time(workers, shared, monkeypatch):
    monkeypatch.setattr(serving.repository, "_PATIENCE_S", 0.2)
    function = workers()
    tell(shared, GROUP, "shop/model-server", silent("elsewhere-1", "elsewhere", 1))
    answer = ask(function, LOAD)
    assert answer.status == 503 and "no word yet from elsewhere-1" in answer.body.decode()
    assert says(function)[0] == 200


def test_a_worker_that_is_gone_is_not_waited_for(workers, shared):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    function = workers()
    tell(shared, GROUP, "shop/model-server", silent("gone", HOST, gone.pid))
    old = Worker("old", "elsewhere", 1, time.time() - 60, {"models": 0})
    tell(shared, GROUP, "shop/model-server", old)
    assert ask(function, LOAD).status == 200


def test_workers_that_leave_say_so(workers, shared):
    function = workers()
    (known,) = living(shared, GROUP, "shop/model-server")
    assert (known.pid, known.versions) == (os.getpid(), {"models": 0})
    function.close()
    function._repository.look()  # as its thread may, once more
    assert living(shared, GROUP, "shop/model-server") == []


def test_a_worker_that_starts_later_serves_what_was_loaded(workers, file, tmp_path):
    other = write(tmp_path / "others/m.pkl", fitted(1))
    trusted = (f"{tmp_path}/others/",)
    body = b'{"parameters": {"model_uri": "%s", "version": "v2"}}' % str(other).encode()
    assert ask(workers(trusted=trusted), LOAD, body).status == 200
    assert '"predictions":[0]' in says(workers(trusted=trusted))[1]
    assert '"predictions":[0]' in says(workers())[1]
    write(other, fitted(2))
    assert '"predictions":[1]' in says(workers(trusted=trusted))[1]


def test_a_redeploy_from_another_address_begins_anew(workers, file, tmp_path):
    assert ask(workers(), UNLOAD).status == 200
    assert says(workers())[0] == 404
    moved = write(tmp_path / "moved/m.pkl", fitted(0))
    assert says(workers(models={"m": str(moved)}))[0] == 200


def test_changes_wait_for_a_state_store_that_is_away(start, file, tmp_path):
    (tmp_path / "blocked").write_text("")
    server = start({"m": file}, {"state": f"sqlite://{tmp_path}/blocked"})
    answer = server.post(LOAD, {})
    assert answer.status == 503 and "the state store is away" in answer.json["error"]
    assert predict(server).status == 200


@pytest.mark.slow
def test_requests_in_flight_are_answered(workers, file):
    """By the version that they found, whatever happens meanwhile."""
    function, statuses, stop = workers(), [], threading.Event()

    def keep_asking():
        while not stop.is_set():
            statuses.append(says(function)[0])

    threads = [threading.Thread(target=keep_asking) for _ in range(2)]
    for thread in threads:
        thread.start()
    versions = set()
    for i in range(20):
        write(file, fitted(i % 3))
        answer = ask(function, LOAD)
        versions.add(answer.body)
        assert answer.status == 200
    stop.set()
    for thread in threads:
        thread.join()
    assert len(versions) == 3 and set(statuses) == {200} and len(statuses) > 100
    assert row_of(function._repository._opened(), "shop/model-server").version == 20
