"""A request and the drift batch that it went into, as a real Zipkin shows them."""

import time

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from leeway.backends import connect
from leeway.settings import Settings
from monitoring.shards import Shards
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest
from tests.averaged import averaged

pytestmark = [pytest.mark.slow, pytest.mark.engine("zipkin")]

TRACE, STREAM = "0af7651916cd43dd8448eb211c80319c", "traced"
_PATIENCE_S = 30.0


@pytest.fixture
def model(tmp_path):
    rows = np.random.default_rng(1).random((50, 2))
    path = tmp_path / "model.pkl"
    joblib.dump(LogisticRegression().fit(rows, rows[:, 0] > 0.5), path)
    return path


def ask(server, deployment, trace):
    """One request with that trace; then the server ends."""
    headers = {"content-type": "application/json", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    body = b'{"instances": [[0.1, 0.2]]}'
    assert server.gateway.answer(HttpRequest("POST", f"/{deployment}/predict", headers, body)).status == 200
    server.close()


def shown(find):
    """What Zipkin shows as soon as it shows something."""
    end = time.monotonic() + _PATIENCE_S
    while not (found := find()):
        assert time.monotonic() < end, "Zipkin never showed it"
        time.sleep(0.1)
    return found


def test_zipkin_shows_the_request_and_its_batch(zipkin, tmp_path, model):
    settings = Settings(home=tmp_path / "home", trace_url=zipkin.url, function_name="drift")
    serving = ServingSettings(models={"m": str(model)}, stream=STREAM, project="shop")
    ask(NuclioFunction.start(serving, settings, "0"), "m", TRACE)
    stream = connect.stream(STREAM, settings)
    shards = Shards(settings, STREAM, print, lambda *at: None)
    for message in stream.read(0, 0, 10):
        shards.offer(message)
    shards.close()
    stream.close()

    spans = {span["name"]: span for span in shown(lambda: zipkin.trace(TRACE))}
    assert set(spans) == {"request", "protocol read", "model", "protocol write", "outbox"}
    request = spans.pop("request")
    assert request["parentId"] == "b7ad6b7169203331" and request["kind"] == "SERVER"
    assert request["localEndpoint"]["serviceName"] == "shop/model-server"
    assert request["tags"]["http.response.status_code"] == "200"
    assert {span["parentId"] for span in spans.values()} == {request["id"]}
    (batch,) = shown(lambda: zipkin.spans("drift", "drift batch"))
    assert batch["tags"]["leeway.linked"] == TRACE


def test_zipkin_shows_every_node_of_a_graph_in_its_place(zipkin, tmp_path, model):
    trace = TRACE[::-1]
    settings = Settings(home=tmp_path / "home", trace_url=zipkin.url)
    serving = ServingSettings(models={}, seldon=averaged("g", str(model), str(model)), stream=STREAM, project="shop")
    ask(NuclioFunction.start(serving, settings, "0"), "g", trace)
    spans = {span["name"]: span for span in shown(lambda: zipkin.trace(trace))}
    names = {span["id"]: span["name"] for span in spans.values()}
    assert {name: names.get(span["parentId"]) for name, span in spans.items()} == {
        "request": None, "protocol read": "request", "graph": "request", "node mean": "graph", "node one": "node mean",
        "node two": "node mean", "protocol write": "request", "outbox": "request",
    }  # fmt: skip
    assert spans["node one"]["tags"]["leeway.class"] == "LogisticRegression"
