import pytest

from leeway.errors import SettingError
from serving.settings import ServingSettings

GOOD = {"instances": [[0.1, 0.2, 0.3]]}
SELDON = "/seldon/ns/linear/api/v1.0/predictions"


@pytest.fixture
def closed(start, model_files):
    return start({"linear": model_files["linear"]}, tokens=("one", "two"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Basic b25l"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"authorization": "Bearer wrong"}, 403),
        ({"authorization": "Bearer öne"}, 403),
        ({"x-api-key": "onex"}, 403),
        ({"authorization": "Bearer one"}, 200),
        ({"authorization": "bearer two"}, 200),
        ({"x-api-key": "two"}, 200),
    ],
)
def test_who_may_ask(closed, headers, status):
    assert closed.post("/linear/predict", GOOD, headers).status == status
    assert closed.get("/metrics", headers).status == status
    assert closed.get("/v2/models/linear", headers).status == status


def test_the_refusal_is_in_the_protocols_own_form(closed):
    said = closed.post(SELDON, {"data": {"ndarray": [[1, 2, 3]]}})
    assert said.status == 401 and said.headers["WWW-Authenticate"] == "Bearer"
    assert said.json["status"]["reason"] == "MICROSERVICE_BAD_DATA"
    said = closed.post("/v1/models/linear:predict", GOOD, {"x-api-key": "no"})
    assert said.status == 403 and list(said.json) == ["error"]


def test_whether_it_lives_is_no_secret(closed):
    for path in ("/v2/health/live", "/v2/health/ready", "/health/ping"):
        assert closed.get(path).status == 200


def test_nobody_who_was_refused_is_recorded(closed):
    closed.post("/linear/predict", GOOD)
    assert closed.records() == []


def test_a_pod_is_not_left_open_by_accident():
    pod = {"SERVING_MODEL_m": "m.pkl", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    with pytest.raises(SettingError, match="SERVING_TOKENS is not set"):
        ServingSettings.read(pod)
    assert ServingSettings.read({**pod, "SERVING_OPEN": "1"}).tokens == ()
    assert ServingSettings.read({**pod, "SERVING_TOKENS": "a, b"}).tokens == ("a", "b")
    assert ServingSettings.read({"SERVING_MODEL_m": "m.pkl"}).tokens == ()


def test_tokens_are_not_shown():
    assert "hush" not in repr(ServingSettings(models={"m": "m.pkl"}, tokens=("hush",)))


def test_pages_of_other_origins_are_let_in_where_they_are_named(start, model_files):
    model = {"linear": model_files["linear"]}
    page = {"origin": "http://pages.test"}
    assert not [name for name in start(model).post("/linear/predict", GOOD, page).headers if "Access" in name]
    named = start(model, origins=("http://pages.test",))
    answer = named.post("/linear/predict", GOOD, page)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://pages.test" and answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in named.post("/linear/predict", GOOD, {"origin": "http://x.test"}).headers
    assert named.post("/linear/predict", {}, page).headers["Access-Control-Allow-Origin"], "errors too"
    asked = named.ask("OPTIONS", "/linear/predict", b"", page)
    assert (asked.status, asked.raw) == (204, b"")
    assert asked.headers["Access-Control-Allow-Methods"] == "POST"
    assert (
        start(model, origins=("*",)).post("/linear/predict", GOOD, page).headers["Access-Control-Allow-Origin"] == "*"
    )


def test_options_without_origins_say_what_is_allowed(server):
    answer = server.ask("OPTIONS", "/v2/models/linear")
    assert (answer.status, answer.headers["Allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert server.ask("OPTIONS", "/nowhere/at/all").status == 404
