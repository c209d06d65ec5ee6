import pytest

ROWS = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]


@pytest.fixture
def expected(estimators):
    return pytest.approx(estimators["linear"].predict(ROWS).tolist())


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"instances": ROWS}, "predictions"),
        ({"instances": [{"x": row} for row in ROWS]}, "predictions"),
        ({"instances": [{"a": row[0], "b": row[1:]} for row in ROWS]}, "predictions"),
        ({"inputs": ROWS}, "outputs"),
        ({"inputs": {"x": ROWS}}, "outputs"),
        ({"inputs": {"a": [0.1, 0.4], "b": [0.2, 0.5], "c": [0.3, 0.6]}}, "outputs"),
    ],
)
def test_rows_and_columns(server, expected, body, key):
    answer = server.post("/v1/models/linear:predict", body)
    assert (answer.status, answer.json) == (200, {key: expected})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "either"),
        ({"instances": ROWS, "inputs": ROWS}, "either"),
        ({"instances": []}, "instances is []"),
        ({"instances": {"a": 1}}, "instances is"),
        ({"instances": [{"a": 1}, {"b": 1}]}, "row 1 has"),
        ({"instances": [{}]}, "row 0 has"),
        ({"inputs": {}}, "inputs is"),
        ({"inputs": {"a": 1}}, "inputs is"),
        ({"inputs": {"a": [1], "b": [1, 2]}}, "have [1, 2] rows"),
        ({"instances": [{"b64": "?"}]}, "b64"),
        ({"instances": [{"b64": "/w=="}]}, "UTF-8"),
        ({"instances": [1, 2]}, "row 0 has 1 values"),
    ],
)
def test_what_cannot_be_read(server, body, says):
    answer = server.post("/v1/models/linear:predict", body)
    assert answer.status == 400 and says in answer.json["error"]


def test_versions_and_labels(server):
    version = server.get("/v1/models/linear").json["model_version_status"][0]["version"]
    base = "/v1/models/linear"
    for path in (f"{base}/versions/{version}", f"{base}/labels/stable", f"{base}/labels/{version}"):
        assert server.post(f"{path}:predict", {"instances": ROWS}).status == 200
        assert server.get(path).status == server.get(f"{path}/metadata").status == 200
    for path in (f"{base}/versions/9", f"{base}/labels/canary"):
        assert server.post(f"{path}:predict", {"instances": ROWS}).status == 404
        assert server.get(path).status == 404


def test_explain_and_methods(server):
    assert server.post("/v1/models/linear:explain", {"instances": ROWS}).status == 501
    assert server.get("/v1/models/linear:predict").status == 405
    assert server.post("/v1/models/linear", {"instances": ROWS}).status == 405
    assert server.post("/v1/models/linear:dance", {"instances": ROWS}).status == 404
    assert server.get("/v1/models").json == {"models": ["logistic", "forest", "boosted", "linear"]}


def test_without_a_name_the_only_model_is_meant(server, start, model_files):
    assert server.post("/v1/models:predict", {"instances": ROWS}).status == 404
    alone = start({"linear": model_files["linear"]})
    for path in ("/v1/models:predict", "/v1/models/:predict"):
        assert alone.post(path, {"instances": ROWS}).status == 200
