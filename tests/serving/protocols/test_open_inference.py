import gzip
import json
import struct
import zlib

import numpy as np
import pytest

from serving.types import HttpRequest

ROWS = [[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]]
FLAT = [value for row in ROWS for value in row]
PATH = "/v2/models/logistic/infer"


def tensor(**changed):
    return {"name": "x", "shape": [2, 3], "datatype": "FP64", "data": FLAT, **changed}


def body(*inputs, **more):
    return {"inputs": list(inputs or [tensor()]), **more}


def binary(head, *raw):
    """(body, headers) of the binary tensor extension"""
    text = json.dumps(head).encode()
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": str(len(text))}
    return text + b"".join(raw), headers


@pytest.fixture
def echo(start, tmp_path, monkeypatch):
    """A server whose model m says what rows it saw."""
    (tmp_path / "echo_model.py").write_text("class Echo:\n    def predict(self, rows):\n        return rows\n")
    monkeypatch.syspath_prepend(tmp_path)
    return start({"m": ""}, model_class="echo_model.Echo")


def seen(server, *inputs, status=200):
    answer = server.post("/v2/models/m/infer", body(*inputs, outputs=[{"name": "predict"}]))
    assert answer.status == status, answer.raw
    return server.records()[0].request.inputs if status == 200 else answer.json["error"]


@pytest.mark.parametrize(
    ("datatype", "given", "expected"),
    [
        ("BOOL", [True, False], [True, False]),
        ("UINT8", [0, 255], [0, 255]),
        ("UINT16", [0, 65535], [0, 65535]),
        ("UINT32", [0, 2**32 - 1], [0, 2**32 - 1]),
        ("UINT64", [0, 2**64 - 1], [0, 2**64 - 1]),
        ("INT8", [-128, 127], [-128, 127]),
        ("INT16", [-(2**15), 2**15 - 1], [-(2**15), 2**15 - 1]),
        ("INT32", [-(2**31), 2**31 - 1], [-(2**31), 2**31 - 1]),
        ("INT64", [-(2**63), 2**63 - 1], [-(2**63), 2**63 - 1]),
        ("FP16", [0.1, 1], [float(np.float16(0.1)), 1.0]),
        ("FP32", [0.1, 3], [float(np.float32(0.1)), 3.0]),
        ("FP64", [0.1, 3], [0.1, 3.0]),
        ("FP64", [0.1, None], [0.1, None]),
        ("BYTES", ["ä", ""], ["ä", ""]),
    ],
)
def test_values_are_of_their_datatype_exactly(echo, datatype, given, expected):
    found = seen(echo, tensor(shape=[2], datatype=datatype, data=given))
    assert found == [[value] for value in expected]
    assert [type(row[0]) for row in found] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("datatype", "given", "says"),
    [
        ("BOOL", [1, 0], "true or false"),
        ("UINT8", [0, 256], "256 is no UINT8"),
        ("UINT8", [0, -1], "-1 is no UINT8"),
        ("INT8", [0, 1.0], "1.0 is no INT8"),
        ("INT64", [True, 1], "True is no INT64"),
        ("UINT64", [0, 2**64], "is no UINT64"),
        ("FP16", [1, 70000], "too large for FP16"),
        ("FP32", [1, 1e39], "too large for FP32"),
        ("FP64", ["1", 1], "'1' is no FP64"),
        ("FP64", [True, 1.0], "True is no FP64"),
        ("BYTES", [1, "a"], "expected text"),
        ("FP128", [1, 2], "FP128"),
        ("FP64", [1], "do not go together"),
        ("FP64", [[1, 2]], "nested data"),
        ("FP64", 7, "expected a list"),
    ],
)
def test_values_that_are_not_are_refused(echo, datatype, given, says):
    assert says in seen(echo, tensor(shape=[2], datatype=datatype, data=given), status=400)


@pytest.mark.parametrize("shape", [[], None, [0, 3], [-1, 3], [2.0, 3], ["2", 3], [True, 6], [10**9, 0]])
def test_shapes_that_are_none(echo, shape):
    assert "shape" in seen(echo, tensor(shape=shape), status=400)


def test_flat_and_nested_are_the_same(echo):
    assert seen(echo, tensor(shape=[1, 2, 3], data=[ROWS])) == [ROWS]


def test_tensors_stand_side_by_side(echo):
    label = {"name": "c", "shape": [2, 1], "datatype": "BYTES", "data": ["u", "v"]}
    assert seen(echo, tensor(shape=[2, 3]), label) == [[0.1, 0.2, 0.3, "u"], [0.9, 0.8, 0.7, "v"]]


def test_tensors_of_different_lengths(echo):
    other = {"name": "c", "shape": [3], "datatype": "BYTES", "data": ["u", "v", "w"]}
    assert "3 rows" in seen(echo, tensor(), other, status=400)


@pytest.mark.parametrize(
    ("head", "raw", "says"),
    [
        (body(tensor(parameters={"binary_data_size": 48})), [b"\0" * 40], "40 bytes are left"),
        (body(tensor(parameters={"binary_data_size": 8})), [b"\0" * 48], "do not go together"),
        (body(tensor(parameters={"binary_data_size": 7})), [b"\0" * 7], "no whole number"),
        (body(tensor(parameters={"binary_data_size": "8"})), [b"\0" * 8], "binary_data_size"),
        (body(tensor(parameters={"binary_data_size": 48})), [b"\0" * 49], "belong to no input"),
        (body(tensor(datatype="BOOL", parameters={"binary_data_size": 6})), [b"\2" * 6], "0 or 1"),
        (body(tensor(shape=[1], datatype="BYTES", parameters={"binary_data_size": 5})), [b"\3\0\0\0a"], "inside"),
        (body(tensor(shape=[1], datatype="BYTES", parameters={"binary_data_size": 5})), [b"\1\0\0\0\xff"], "UTF-8"),
        ([1], [], "no object"),
    ],
)
def test_raw_bytes_that_are_not_what_the_json_says(server, head, raw, says):
    answer = server.post(PATH, *binary(head, *raw))
    assert (answer.status, says in answer.json["error"]) == (400, True), answer.raw


@pytest.mark.parametrize("length", ["x", "-1", "9999999", "3"])
def test_a_length_of_the_json_that_cannot_be(server, length):
    content, headers = binary(body())
    answer = server.post(PATH, content, {**headers, "inference-header-content-length": length})
    assert answer.status == 400 and list(answer.json) == ["error"]


@pytest.mark.parametrize("decoded", [5, None, [1], "x", body()])
def test_a_length_beside_what_the_host_decoded(server, decoded):
    request = HttpRequest("POST", PATH, {"inference-header-content-length": "1"}, decoded)
    assert server.function.gateway.answer(request).status == (200 if isinstance(decoded, dict) else 400)


def test_raw_bytes_in_and_out(server, estimators):
    head = body(
        tensor(parameters={"binary_data_size": 48}, data=None),
        id="b1",
        outputs=[
            {"name": "predict", "parameters": {"binary_data": False}},
            {"name": "predict_proba", "parameters": {"binary_data": True}},
        ],
    )
    answer = server.post(PATH, *binary(head, np.array(ROWS).tobytes()))
    length = int(answer.headers["Inference-Header-Content-Length"])
    said, raw = json.loads(answer.raw[:length]), answer.raw[length:]
    assert said["id"] == "b1"
    assert said["outputs"][0]["data"] == estimators["logistic"].predict(ROWS).tolist()
    assert said["outputs"][1] == {
        "name": "predict_proba", "shape": [2, 2], "datatype": "FP64", "parameters": {"binary_data_size": 32},
    }  # fmt: skip
    assert np.frombuffer(raw).tolist() == estimators["logistic"].predict_proba(ROWS).ravel().tolist()


def test_text_as_raw_bytes(echo):
    raw = b"".join(struct.pack("<I", len(word)) + word for word in (b"a", "ü".encode()))
    given = {"name": "s", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}
    head = {"inputs": [given], "parameters": {"binary_data_output": True}}
    answer = echo.post("/v2/models/m/infer", *binary(head, raw))
    assert answer.raw[int(answer.headers["Inference-Header-Content-Length"]) :] == raw


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ([{"name": "y"}], "there are predict and predict_proba"),
        ([1], "outputs is"),
        ({"name": "predict"}, "outputs is"),
    ],
)
def test_outputs_that_are_not_there(server, outputs, says):
    answer = server.post(PATH, body(outputs=outputs))
    assert answer.status == 400 and says in answer.json["error"]


def test_probabilities_of_a_model_that_has_none(server):
    answer = server.post("/v2/models/linear/infer", body(outputs=[{"name": "predict_proba"}]))
    assert answer.status == 400 and "no predict_proba" in answer.json["error"]


@pytest.mark.parametrize(
    ("said", "datatype", "shape", "data"),
    [
        ("[True, False]", "BOOL", [2], [True, False]),
        ("[1, 2]", "INT64", [2], [1, 2]),
        ("[1, 2**64 - 1]", "UINT64", [2], [1, 2**64 - 1]),
        ("[1, 2.5]", "FP64", [2], [1.0, 2.5]),
        ("[None, 2.5]", "FP64", [2], [None, 2.5]),
        ("['a', 'b']", "BYTES", [2], ["a", "b"]),
        ("[[1, 2], [3, 4]]", "INT64", [2, 2], [1, 2, 3, 4]),
        ("[[1], [3, 4]]", "BYTES", [2], ["[1]", "[3,4]"]),
        ("[{'a': 1}, 'b']", "BYTES", [2], ['{"a":1}', '"b"']),
    ],
)
def test_outputs_have_the_datatype_that_holds_them(start, tmp_path, monkeypatch, said, datatype, shape, data):
    (tmp_path / "saying.py").write_text(f"class Saying:\n    def predict(self, rows):\n        return {said}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "saying", raising=False)
    answer = start({"m": ""}, model_class="saying.Saying").post("/v2/models/m/infer", body())
    expected = {"name": "predict", "datatype": datatype, "shape": shape, "data": data}
    assert answer.json["outputs"] == [expected]


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)])
def test_packed_bodies(server, coding, pack):
    headers = {"content-encoding": coding}
    assert server.post(PATH, pack(json.dumps(body()).encode()), headers).status == 200
    content, more = binary(body(tensor(parameters={"binary_data_size": 48})), np.array(ROWS).tobytes())
    assert server.post(PATH, pack(content), {**headers, **more}).status == 200


@pytest.mark.parametrize(
    ("content", "coding", "status"),
    [
        (b"{}", "gzip", 400),
        (gzip.compress(b"{}" * 100)[:-9], "gzip", 400),
        (gzip.compress(b" " * ((1 << 20) + 1)), "gzip", 413),
        (b"{}", "br", 415),
    ],
)
def test_packed_bodies_that_are_refused(start, model_files, content, coding, status):
    server = start({"logistic": model_files["logistic"]}, max_body_mb=1)
    answer = server.post(PATH, content, {"content-encoding": coding})
    assert answer.status == status and answer.json["error"]


def test_rows_and_tensors_share_a_path(server):
    assert "timestamp" in server.post(PATH, {"inputs": ROWS}).json
    assert "timestamp" not in server.post(PATH, body()).json


def test_columns_by_name_come_in_any_order(start, tmp_path, profile_of_rows, model_files):
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(model_files["linear"].read_bytes())
    (folder / "leeway-profile.json").write_bytes(profile_of_rows)
    server = start({"m": folder / "model.pkl"})
    given = {name: {"name": name, "shape": [1], "datatype": "FP64", "data": [i]} for i, name in enumerate("abc")}
    for order in ("abc", "cab"):
        answer = server.post("/v2/models/m/infer", body(*(given[name] for name in order)))
        assert answer.status == 200
    refused = server.post("/v2/models/m/infer", body(given["a"], given["b"], {**given["c"], "name": "d"}))
    assert refused.status == 400 and "c, d" in refused.json["error"]
    records = server.records()
    assert records[0].request.inputs == records[1].request.inputs == [[0.0, 1.0, 2.0]]
