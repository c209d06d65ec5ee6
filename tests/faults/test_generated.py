"""No body makes the server fail, and no message stops a shard."""

import pickle
from random import Random

import nuclio_sdk
import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from leeway.clock import ManualClock
from leeway.interfaces import Message
from leeway.settings import Settings
from monitoring.queries import Queries
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from tests.faults.faults import Faults
from tests.faults.generated import generated
from tests.faults.processes import Worker

BODIES = [
    {"id": "x", "instances": [[0.5, 0.6, 0.7]], "labels": {"purpose": "test"}, "event_time": "2026-01-01T00:00:00Z"},
    {"id": "x", "inputs": [[0.5, 0.6, 0.7], [1, 2, 3]], "parameters": {"a": 1}},
    {"id": "x", "rows": [0], "truth": [1]},
    {"id": "x", "reward": 1.0},
]
PATHS = [
    "/a/predict",
    "/v2/models/a/infer",
    "/a/feedback",
    "/v2/models/a/feedback",
    "/a/explain",
    "/v2/models/a",
    "/b/predict",
]
RECORD = {
    "schema": 1, "id": "x", "op": "infer", "when": "", "project": "shop", "function_uri": "shop/server",
    "deployment": "a", "endpoint_id": "shop/server/a/default/a/v1", "microsec": 5,
    "origin": {"outbox": "o", "seq": 1, "dropped": {"full": 1}}, "features": ["price", "demand", "region"],
    "labels": {"a": "b"}, "metrics": {"m": 1}, "nodes": [{"name": "n", "outputs": [1]}], "propensity": 0.5,
}  # fmt: skip
MESSAGES = [
    {**RECORD, "request": {"inputs": [[0.1, 0.2, 0.3]]}, "resp": {"outputs": [1], "probabilities": [[0.1, 0.9]]}},
    {**RECORD, "op": "feedback", "request": {"id": "x", "truth": [1], "rows": [0]}},
    {**RECORD, "op": "feedback", "request": {"id": "x", "reward": [1.0]}},
    {**RECORD, "op": "decision", "decision": {"confirm": "x"}},
    {**RECORD, "op": "outbox_end"},
    {"id": "x", "op": "infer", "when": "2026-01-01", "microsec": 1, "class": "C", "model": "m", "version": "v",
     "function_uri": "p/f", "request": {"inputs": [[1, 2]]}, "resp": {"outputs": [1], "model_name": "m"}},
    {"op": "predict", "when": "2026-01-01", "class": "C", "model": "m", "request": {"instances": [[1]]}, "resp": [1],
     "microsec": 1, "host": "h", "labels": {}},
]  # fmt: skip


@pytest.fixture
def context(tmp_path):
    rows = np.random.default_rng(1).random((200, 3))
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(DecisionTreeClassifier(max_depth=2).fit(rows, (rows[:, 0] > 0.5).astype(int))))
    serving = ServingSettings({"a": str(path)}, stream="s")
    function = NuclioFunction.start(serving, Settings(home=tmp_path / "home"), "0")
    context = nuclio_sdk.Context()
    yield lambda event: function.answer(context, event)
    function.close()


def answer_bodies(answer, count):
    random, statuses = Random(3), set()
    for body in generated(BODIES, 5, count):
        headers = {"content-type": random.choice(["application/json", "text/plain", ""]), "x-request-id": "é\n"}
        event = nuclio_sdk.Event(body, path=random.choice(PATHS), method="POST", headers=headers)
        response = answer(event)
        assert response.status_code < 500 or (response.status_code, event.path[-7:]) == (501, "explain"), (
            body,
            response.body,
        )
        statuses.add(response.status_code)
    assert {200, 400, 404} <= statuses


def consume_messages(home, profile, count):
    worker = Worker(home, Settings(home=home, window_rows=20, range_rows=200), ManualClock(), Faults(0, set()))
    worker._shared.commit({"profile/shop/server/a/default/a/v1": profile})
    worker.start()
    messages = generated(MESSAGES, 7, count)
    worker.consumer.consume(Message(0, i, 1_700_000_000 + i // 50, "k", data) for i, data in enumerate(messages))
    assert worker.consumer.position == count
    worker.bury()
    with Queries(worker._settings) as queries:
        counts = queries.counts()
        assert min(counts["predictions"]["rows"], counts["dead_lettered"], counts["repeated"]) > count // 100


@pytest.mark.slow
def test_two_thousand_bodies_give_no_5xx(context):
    answer_bodies(context, 2_000)


@pytest.mark.slow
def test_two_thousand_messages_stop_nothing(tmp_path, profile):
    consume_messages(tmp_path, profile, 2_000)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_hundred_thousand_bodies_give_no_5xx(context):
    answer_bodies(context, 100_000)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_hundred_thousand_messages_stop_nothing(tmp_path, profile):
    consume_messages(tmp_path, profile, 100_000)
