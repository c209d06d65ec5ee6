import logging

import numpy as np
import pytest

CODE = """
import numpy as np
class Model:
    def predict(self, rows):
        return ANSWERS[rows[0][0]]()
    def explain(self, rows):
        return [len(row) for row in rows]
class Mute:
    def predict(self, rows):
        return rows
def fail():
    raise KeyError("secret detail")
ANSWERS = {
    "array": lambda: np.array([1.5]), "numpy": lambda: [np.float32(2), np.int64(3)],
    "outputs": lambda: {"outputs": [4]},
    "one": lambda: 5, "nan": lambda: [float("nan")], "text": lambda: ["a"], "set": lambda: {1}, "fail": fail,
    "exit": lambda: exit(3), "huge": lambda: [10**30],
}
"""


@pytest.fixture
def mine(start, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    return start({"m": ""}, model_class="mine.Model")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("array", [1.5]), ("numpy", [2.0, 3]), ("outputs", [4]), ("one", [5]), ("nan", [None]), ("text", ["a"]),
    ],
)  # fmt: skip
def test_what_it_may_answer(mine, asked, expected):
    assert mine.post("/m/predict", {"instances": [[asked]]}).json["predictions"] == expected
    (record,) = mine.records()
    assert record.resp.outputs == expected and record.request.inputs == [[asked]] and record.class_ == "Model"


@pytest.mark.parametrize("asked", ["set", "fail", "exit", "huge"])
def test_a_class_that_fails_is_a_500_with_its_models_name_and_the_log_has_the_rest(mine, asked, caplog):
    with caplog.at_level(logging.ERROR, "leeway.serving"):
        answer = mine.post("/m/predict", {"instances": [[asked]]})
    assert answer.status == 500
    assert "model 'm'" in answer.json["error"]
    assert "Traceback" not in answer.raw.decode() and "secret" not in answer.raw.decode()
    assert "Traceback" in caplog.text
    assert mine.post("/m/predict", {"instances": [["one"]]}).status == 200
    failed, _ = mine.records()
    assert failed.error == answer.json["error"] and failed.request.inputs == [[asked]]


def test_explain_where_it_has_one(mine, start):
    assert mine.post("/v2/models/m/explain", {"inputs": [[1, 2], [3]]}).json["outputs"] == [2, 1]
    assert [record.op for record in mine.records()] == ["explain"]
    mute = start({"m": ""}, model_class="mine.Mute")
    assert mute.post("/m/explain", {"instances": [[1]]}).status == 501


def test_rows_may_be_anything(start, tmp_path, monkeypatch):
    (tmp_path / "any_rows.py").write_text(
        "class Model:\n    def predict(self, rows): return [str(row) for row in rows]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    server = start({"m": ""}, model_class="any_rows.Model")
    rows = [{"a": 1}, "text", 3, None]
    assert server.post("/v2/models/m/infer", {"inputs": rows}).json["outputs"] == [str(row) for row in rows]
    assert np.shape(server.records()) == (1,)
