"""The model server on the laptop's platform, in real worker processes."""

import pickle
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from leeway.backends import connect
from leeway.outbox_file import SUFFIX
from leeway.record import decode

pytestmark = pytest.mark.slow

CODE = (Path(__file__).parents[3] / "functions/model_server/model_server.py").read_text()
OWN = CODE + "\n\nclass Mine:\n    def predict(self, rows):\n        return [sum(row) for row in rows]\n"
GOOD = {"instances": [[1, 2, 3]]}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit([[0, 0, 0], [1, 2, 3]], [0, 1])))
    return str(path)


def deploy(laptop, code, **env):
    triggers = {"http": {"kind": "http"}}
    return laptop.deploy("tests-server", code, env=env, triggers=triggers)


def recorded(laptop):
    stream = connect.stream("users/elec", laptop.settings)
    try:
        return [decode(message.value) for message in stream.read(0, 0, 1_000)]
    finally:
        stream.close()


def test_it_answers_bad_and_good_requests_and_sends_its_records_when_it_ends(laptop, model):
    status = deploy(laptop, CODE, SERVING_MODEL_m=model, INFERENCE_STREAM="users/elec")
    assert status["state"] == "ready", status
    assert laptop.call("tests-server", "/m/predict", GOOD).json["predictions"] == [1]
    for bad in ({"instances": [["x", 2, 3]]}, {"instances": [[1]]}, {}):
        assert laptop.call("tests-server", "/m/predict", bad).status == 400
    answer = laptop.call("tests-server", "/v2/models/m/infer", {"id": "r1", "inputs": [[1, 2, 3]]})
    assert (answer.status, answer.headers["x-request-id"], answer.json["outputs"]) == (200, "r1", [1])
    assert laptop.call("tests-server", "/m/feedback", {"id": "r1", "truth": [0]}).status == 200
    laptop.api("DELETE", "functions", {"metadata": {"name": "tests-server"}})
    laptop.until(lambda: not list((laptop.home / "outbox").rglob(f"*{SUFFIX}")), "the outbox was sent")
    records = recorded(laptop)
    assert [record.op for record in records] == ["infer"] * 5 + ["feedback", "outbox_end"]
    assert {record.stream_key for record in records} == {"tests/server/m"}


def test_a_class_of_the_functions_own_module(laptop):
    status = deploy(laptop, OWN, SERVING_MODEL_m="", MODEL_CLASS="Mine")
    assert status["state"] == "ready", status
    assert laptop.call("tests-server", "/m/predict", GOOD).json["predictions"] == [6]


def test_a_model_that_is_not_there_is_said_in_the_functions_state(laptop):
    status = deploy(laptop, CODE, SERVING_MODEL_m="/nowhere/model.pkl")
    assert status["state"] == "error"
    assert "SERVING_MODEL_m=/nowhere/model.pkl: there is no such file" in status["message"]
