"""The same rows get the same answer, whoever carries them; and whatever is sent, no protocol fails."""

import base64
import json
import struct
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CI, SOAK = 60, 3_000
WIDTH = 3
KIND = {"content-type": "application/json"}


def oip(datatype, rows, **more):
    flat = [value for row in rows for value in row]
    return {"inputs": [{"name": "x", "shape": [len(rows), WIDTH], "datatype": datatype, "data": flat, **more}]}


def in_binary(datatype, dtype, rows):
    raw = np.array(rows, dtype).tobytes()
    given = {
        "name": "x",
        "shape": [len(rows), WIDTH],
        "datatype": datatype,
        "parameters": {"binary_data_size": len(raw)},
    }
    head = json.dumps({"inputs": [given]}).encode()
    return head + raw, {"inference-header-content-length": str(len(head)), "content-type": ""}


def outputs_of_oip(said):
    return said["outputs"][0]["data"]


def outputs_of_seldon(said):
    data = said["data"]
    if "ndarray" in data:
        return data["ndarray"]
    return data["tensor"]["values"] if "tensor" in data else data["tftensor"]["doubleVal"]


def ways(model, rows):
    """(name, path, body, headers, how to find the outputs) of every way to carry rows of numbers."""
    v2, v1, api = f"/v2/models/{model}/infer", f"/v1/models/{model}:predict", f"/seldon/ns/{model}/api/v1.0/predictions"
    flat = [value for row in rows for value in row]
    shape = [len(rows), WIDTH]
    dims = {"dim": [{"size": str(size)} for size in shape]}
    content = base64.b64encode(np.array(rows, "<f8").tobytes()).decode()
    form = "json=" + quote(json.dumps({"data": {"ndarray": rows}}))
    raw, headers = in_binary("FP64", "<f8", rows)
    columns = {f"c{i}": [row[i] for row in rows] for i in range(WIDTH)}
    tensors = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": values} for name, values in columns.items()
    ]
    named = [dict(zip(columns, row)) for row in rows]
    yield "mlrun v2", v2, {"inputs": rows}, KIND, lambda said: said["outputs"]
    yield "mlrun v1", f"/{model}/predict", {"instances": rows}, KIND, lambda said: said["predictions"]
    yield "tensors", v2, oip("FP64", rows), KIND, outputs_of_oip
    yield "nested tensors", v2, oip("FP64", rows, data=rows), KIND, outputs_of_oip
    yield "columns of tensors", v2, {"inputs": tensors}, KIND, outputs_of_oip
    yield "raw tensors", v2, raw, headers, outputs_of_oip
    yield "tensorflow rows", v1, {"instances": rows}, KIND, lambda said: said["predictions"]
    yield "tensorflow named rows", v1, {"instances": named}, KIND, lambda said: said["predictions"]
    yield "tensorflow columns", v1, {"inputs": columns}, KIND, lambda said: said["outputs"]
    yield "seldon ndarray", api, {"data": {"ndarray": rows}}, KIND, outputs_of_seldon
    yield "seldon tensor", api, {"data": {"tensor": {"shape": shape, "values": flat}}}, KIND, outputs_of_seldon
    for name, value in (("doubleVal", flat), ("tensorContent", content)):
        tensor = {"dtype": "DT_DOUBLE", "tensorShape": dims, name: value}
        yield f"seldon {name}", api, {"data": {"tftensor": tensor}}, KIND, outputs_of_seldon
    yield "seldon form", api, form.encode(), {"content-type": "application/x-www-form-urlencoded"}, outputs_of_seldon


numbers = st.floats(-1e6, 1e6) | st.integers(-(2**40), 2**40) | st.sampled_from([0.1, -0.0, 5e-324, 1e300 / 1e300])
matrices = st.lists(st.lists(numbers, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=4)
quiet = settings(max_examples=CI, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture
def both(server):
    return server


def test_the_same_rows_get_the_same_answer(both, estimators):
    @quiet
    @given(matrices, st.sampled_from(["linear", "forest", "logistic"]))
    def run(rows, model):
        expected = estimators[model].predict(np.array(rows, np.float64)).tolist()
        for name, path, body, headers, outputs in ways(model, rows):
            answer = both.ask("POST", path, body, headers)
            assert answer.status == 200, (name, answer.raw)
            assert outputs(answer.json) == expected, name

    run()


RANGES = {"UINT8": (0, 255), "INT16": (-(2**15), 2**15 - 1), "UINT64": (0, 2**64 - 1), "INT64": (-(2**63), 2**63 - 1)}
DTYPES = {"UINT8": "u1", "INT16": "<i2", "UINT64": "<u8", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}


@st.composite
def typed(draw):
    """(datatype, rows that it holds exactly)"""
    datatype = draw(st.sampled_from([*DTYPES, "BOOL", "BYTES"]))
    if datatype == "BOOL":
        values = st.booleans()
    elif datatype == "BYTES":
        values = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    elif datatype in RANGES:
        values = st.integers(*RANGES[datatype])
    else:
        values = st.floats(width=int(datatype[2:]), allow_nan=False, allow_infinity=False)
    return datatype, draw(st.lists(st.lists(values, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=3))


def test_values_reach_the_model_and_come_back_exactly(start, tmp_path, monkeypatch):
    (tmp_path / "mirror.py").write_text(
        "class Mirror:\n    def predict(self, rows):\n        self.__class__.seen = rows\n        return rows\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    server = start({"m": ""}, model_class="mirror.Mirror")
    import mirror

    @quiet
    @given(typed())
    def run(given):
        datatype, rows = given
        flat = [value for row in rows for value in row]
        sent = [({**oip(datatype, rows)}, KIND)]
        if datatype in DTYPES:
            sent.append(in_binary(datatype, DTYPES[datatype], rows))
        for body, headers in sent:
            answer = server.ask("POST", "/v2/models/m/infer", body, headers)
            assert answer.status == 200, answer.raw
            seen = [value for row in mirror.Mirror.seen for value in row]
            assert seen == flat and list(map(type, seen)) == list(map(type, flat))
            assert outputs_of_oip(answer.json) == flat
        if datatype not in ("FP16", "FP32"):
            for body in ({"data": {"ndarray": rows}}, {"jsonData": rows}):
                assert server.post("/api/v1.0/predictions", body).status == 200
                assert mirror.Mirror.seen == rows

    run()


scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip
whole = st.integers(-3, 5)
shapes = st.lists(whole, max_size=3) | anything
tensor_like = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "a"]) | scalars, "datatype": st.sampled_from([*DTYPES, "BOOL", "BYTES"]) | scalars},
    optional={
        "shape": shapes, "data": st.lists(scalars, max_size=6) | anything,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": whole | anything}) | anything,
    },
)  # fmt: skip
dims = st.fixed_dictionaries(
    {}, optional={"dim": st.lists(st.fixed_dictionaries({"size": whole | scalars}), max_size=3)}
)
seldon_data = st.fixed_dictionaries(
    {},
    optional={
        "names": st.lists(st.text(max_size=3), max_size=3) | anything,
        "ndarray": anything,
        "tensor": st.fixed_dictionaries(
            {}, optional={"shape": shapes, "values": st.lists(numbers, max_size=6) | anything}
        ),
        "tftensor": st.fixed_dictionaries(
            {"dtype": st.sampled_from(["DT_DOUBLE", "DT_INT64", "DT_STRING", "DT_BOOL"]) | scalars},
            optional={"tensorShape": dims | anything, "doubleVal": anything, "tensorContent": st.text(max_size=8)},
        ),
    },
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "data": seldon_data | anything, "strData": scalars, "jsonData": anything, "binData": scalars,
        "meta": st.fixed_dictionaries({}, optional={"puid": scalars, "tags": anything, "routing": anything}) | anything,
    },
)  # fmt: skip
documents = (
    messages
    | st.fixed_dictionaries({"inputs": st.lists(tensor_like, min_size=1, max_size=3) | anything},
                            optional={"outputs": anything, "id": scalars, "parameters": anything})
    | st.fixed_dictionaries({}, optional={"instances": anything, "inputs": anything, "signature_name": scalars})
    | st.fixed_dictionaries({}, optional={"request": messages, "response": messages, "truth": messages | anything,
                                          "reward": numbers | anything})
)  # fmt: skip
bodies = documents | documents.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=40)
PATHS = [
    "/v2/models/{}/infer", "/v2/models/{}/explain", "/v1/models/{}:predict", "/v1/models/{}:explain",
    "/v1/models/{}/labels/stable:predict", "/seldon/ns/{}/api/v1.0/predictions", "/seldon/ns/{}/api/v1.0/feedback",
    "/seldon/ns/{}-explainer/default/api/v1.0/explain", "/api/v1.0/predictions", "/predict", "/{}/predict",
    "/v2/repository/index",
]  # fmt: skip
headers = st.fixed_dictionaries(
    {"content-type": st.sampled_from(["application/json", "", "application/x-www-form-urlencoded"])},
    optional={
        "content-encoding": st.sampled_from(["gzip", "deflate", "br", "identity", "x"]),
        "inference-header-content-length": whole.map(str) | st.text(max_size=4),
        "seldon-puid": st.text(max_size=8),
        "origin": st.just("http://pages.test"),
        "authorization": st.text(max_size=8),
    },
)
requests = st.tuples(
    st.builds(str.format, st.sampled_from(PATHS), st.sampled_from(["logistic", "linear", "nobody"])), bodies, headers
)


def drive(server, examples):
    from serving.types import HttpRequest

    @settings(quiet, max_examples=examples)
    @given(requests)
    def run(request):
        path, body, headers = request
        answer = server.function.gateway.answer(HttpRequest("POST", path, headers, body))
        assert answer.status < 500 or answer.status == 501, (request, answer.body)
        assert b"Traceback" not in answer.body
        if answer.status >= 400:
            said = json.loads(answer.body)
            assert said.get("error") or said["status"]["info"]

    run()


def test_no_request_of_any_protocol_fails(server):
    drive(server, 10 * CI)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_very_many_requests_of_any_protocol(server):
    drive(server, 10 * SOAK)


def test_a_length_that_a_raw_text_tensor_claims_but_has_not(server):
    head = {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 4}}]}
    text = json.dumps(head).encode()
    sent = text + struct.pack("<I", 2**32 - 1)
    answer = server.ask("POST", "/v2/models/linear/infer", sent, {"inference-header-content-length": str(len(text))})
    assert answer.status == 400
