import pytest


@pytest.fixture
def version(server):
    return server.get("/v2/models/linear").json["versions"][0]


@pytest.mark.parametrize("operation", ["infer", "predict"])
def test_infer(server, estimators, version, operation):
    rows = [[0.1, 0.2, 0.3]]
    answer = server.post(f"/v2/models/linear/{operation}", {"id": "r1", "inputs": rows})
    assert answer.status == 200
    assert set(answer.json) == {"id", "model_name", "outputs", "timestamp", "model_version"}
    assert (answer.json["id"], answer.json["model_name"], answer.json["model_version"]) == ("r1", "linear", version)
    assert answer.json["outputs"] == pytest.approx(estimators["linear"].predict(rows))


def test_posting_to_a_model_means_infer(server):
    assert server.post("/v2/models/linear", {"inputs": [[1, 2, 3]]}).json["outputs"]


def test_a_version_is_served_by_its_name_only(server, version):
    body = {"inputs": [[1, 2, 3]]}
    assert server.post(f"/v2/models/linear/versions/{version}/infer", body).status == 200
    refused = server.post("/v2/models/linear/versions/v9/infer", body)
    assert refused.status == 404 and version in refused.json["error"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", {"name": "leeway", "version": "v2", "extensions": [], "status": "alive"}),
        ("/v2/health", {"ready": True}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models", {"models": ["logistic", "forest", "boosted", "linear"]}),
        ("/v2/models/", {"models": ["logistic", "forest", "boosted", "linear"]}),
        ("/v2/models/linear/ready", {"name": "linear", "ready": True}),
    ],
)
def test_what_the_server_says_of_itself(server, path, expected):
    answer = server.get(path)
    assert (answer.status, answer.json) == (200, expected)
    assert answer.headers["X-Request-Id"]


def test_metadata(server, version):
    known = server.get("/v2/models/linear").json
    assert known["platform"] == "LinearRegression"
    assert known["model_endpoint_uid"] == f"shop/model-server/linear/default/linear/{version}"
    assert known["sha256"].startswith(version) and len(version) == 12


def test_feedback(server):
    assert server.post("/v2/models/linear/feedback", {"id": "r1", "reward": 1}).json == {"id": "r1"}
