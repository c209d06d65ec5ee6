import pytest

from leeway.record import is_test

API = "/seldon/ns/linear/api/v1.0"
ROWS = [[0.1, 0.2, 0.3]]


def message(**data):
    return {"data": data or {"ndarray": ROWS}}


def tensor(dtype="DT_DOUBLE", size=("1", "3"), **values):
    return message(tftensor={"dtype": dtype, "tensorShape": {"dim": [{"size": each} for each in size]}, **values})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "none of data, strData, jsonData and binData"),
        ({"data": {}}, "none of ndarray, tensor and tftensor"),
        ({"data": [1]}, "none of data"),
        ({"strData": 1}, "strData is 1"),
        ({"binData": "ä"}, "base64"),
        ({"binData": "a"}, "base64"),
        (message(ndarray=[]), "at least one row"),
        (message(ndarray=ROWS, names="abc"), "names is"),
        (message(tensor=[1]), "tensor is"),
        (message(tensor={"shape": [1, 3], "values": "123"}), "values is"),
        (message(tensor={"shape": [1, 3], "values": [True, 2, 3]}), "values is"),
        (message(tensor={"shape": [2, 3], "values": [1, 2, 3]}), "do not go together"),
        (message(tensor={"shape": [0, 3], "values": []}), "shape is"),
        (message(tensor={"values": [1, 2, 3]}), "shape is None"),
        (message(tftensor=1), "tftensor is 1"),
        (tensor("DT_COMPLEX"), "DT_COMPLEX"),
        (tensor(doubleVal=["x"]), "cannot be read"),
        (tensor(doubleVal=7), "doubleVal is 7; expected a list"),
        (tensor(doubleVal=[[1, 2, 3]]), "doubleVal is [[1, 2, 3]]; expected a list"),
        (tensor(doubleVal=None), "do not go together"),
        (tensor("DT_STRING", stringVal=None), "do not go together"),
        (tensor(tensorContent="AA"), "cannot be read"),
        (tensor(size=("a", "3"), doubleVal=[1, 2, 3]), "cannot be read"),
        ({**message(), "meta": 1}, "meta is 1"),
        ({**message(), "meta": {"tags": [1]}}, "meta.tags"),
        ({**message(), "meta": {"puid": {}}}, "id is {}"),
    ],
)
def test_messages_that_cannot_be_read(server, body, says):
    answer = server.post(f"{API}/predictions", body)
    assert answer.status == 400
    assert says in answer.json["status"]["info"]
    assert answer.json["status"]["reason"] == "MICROSERVICE_BAD_DATA"


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (tensor(doubleVal=[0.1, 0.2, 0.3]), ROWS),
        (tensor("DT_FLOAT", floatVal=[0.5, 1, 2]), [[0.5, 1.0, 2.0]]),
        (tensor("DT_INT64", int64Val=["1", "2", "3"]), [[1, 2, 3]]),
        (tensor("2", doubleVal=[7]), [[7.0, 7.0, 7.0]]),
        (tensor("DT_BOOL", boolVal=[True, False, True]), [[True, False, True]]),
    ],
)
def test_tensorflows_tensors(server, body, rows):
    answer = server.post(f"{API}/predictions", body)
    assert answer.status == 200 and "tftensor" in answer.json["data"]
    assert server.records()[0].request.inputs == rows


def test_tags_and_the_id_are_recorded(server):
    server.post(f"{API}/predictions", {**message(), "meta": {"puid": "p1", "tags": {"purpose": "test", "n": 1}}})
    record = server.records()[0]
    assert (record.id, record.labels, is_test(record.labels)) == ("p1", {"purpose": "test"}, True)


def test_what_is_said_back_closes_the_loop(server):
    said = server.post(f"{API}/predictions", message()).json
    told = {"request": message(), "response": said, "reward": 1, "truth": message(ndarray=[[2.5]])}
    assert server.post(f"{API}/feedback", told).json["meta"]["puid"] == said["meta"]["puid"]
    prediction, feedback = server.records()
    assert (feedback.op, feedback.request.id) == ("feedback", prediction.id)
    assert (feedback.request.truth, feedback.request.reward) == ([2.5], 1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "neither truth nor reward"),
        ({"truth": message(ndarray=[1])}, "no puid"),
        ({"reward": "much"}, "reward is 'much'"),
        ({"reward": 1, "response": []}, "response is []"),
        ({"reward": 1, "response": {"meta": {"routing": {"a": "b"}}}}, "routing"),
        ({"reward": 1, "truth": {"data": {"ndarray": 1}}}, "ndarray is 1"),
    ],
)
def test_feedback_that_cannot_be_read(server, body, says):
    answer = server.post(f"{API}/feedback", body)
    assert answer.status == 400 and says in answer.json["status"]["info"]


def test_the_puid_of_feedback_may_come_as_a_header(server):
    server.post(f"{API}/feedback", {"truth": message(ndarray=[1])}, {"seldon-puid": "p9"})
    assert server.records()[0].request.id == "p9"


def test_plain_paths_mean_the_only_deployment(server, start, model_files):
    refused = server.post("/api/v1.0/predictions", message())
    assert refused.status == 404 and "/seldon/<namespace>/<deployment>" in refused.json["status"]["info"]
    alone = start({"linear": model_files["linear"]})
    for path in ("/api/v1.0/predictions", "/api/v0.1/predictions", "/predict"):
        assert alone.post(path, message()).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{API}/status", 200),
        (f"{API}/status/linear", 200),
        (f"{API}/status/nobody", 404),
        (f"{API}/metadata/nobody", 404),
        (f"{API}/health/status", 200),
        (f"{API}/doc/", 200),
        ("/seldon.json", 200),
        ("/seldon/ns/nobody/api/v1.0/status", 404),
        ("/live", 200),
        ("/ready", 200),
        (f"{API}/dance", 404),
        ("/seldon/ns/linear", 404),
    ],
)
def test_what_is_told_of_it(server, path, status):
    assert server.get(path).status == status


def test_a_class_that_explains(start, tmp_path, monkeypatch):
    (tmp_path / "because.py").write_text(
        "class Because:\n    def predict(self, rows):\n        return rows\n"
        "    def explain(self, rows):\n        return {'because': 1}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    server = start({"m": ""}, model_class="because.Because")
    for path in ("/seldon/ns/m-explainer/default/api/v1.0/explain", "/api/v1.0/explanations", "/api/v1.0/explain"):
        assert server.post(path, message()).json["jsonData"] == {"because": 1}
