"""The drift function, driven as Nuclio drives it."""

import asyncio
import json
import logging
from datetime import UTC, datetime

import nuclio_sdk
import pytest
import yaml

from functions.concept_drift import concept_drift
from leeway.record import FEEDBACK, INFER, Origin, Record, Request, Response, encode


def record(op, seq, id, request):
    return Record(
        schema=1, op=op, id=id, when="", project="shop", function_uri="shop/server", deployment="a",
        origin=Origin("o", seq), endpoint_id="shop/server/a/default/a/v1", request=request,
        resp=Response(outputs=[1] * len(request.inputs)),
    )  # fmt: skip


MESSAGES = [
    encode(record(INFER, 1, "one", Request(inputs=[[0.5]]))),
    encode(record(FEEDBACK, 2, "f", Request(id="one", truth=[1]))),
    b"no record",
]


class Worker:
    """One Nuclio worker: the SDK's own context, platform and events; `acked` is what it acknowledged."""

    def __init__(self):
        self.acked = []
        self.platform = nuclio_sdk.Platform("local", on_control_callback=self._control)
        self.context = nuclio_sdk.Context(nuclio_sdk.Logger(logging.INFO), self.platform)
        concept_drift.init_context(self.context)

    async def _control(self, message):
        self.acked.append(message["attributes"])

    def stream(self, offset, body, topic="users/elec"):
        appended = datetime.fromtimestamp(1_700_000_000, UTC).replace(tzinfo=None)
        return nuclio_sdk.Event(
            body, trigger=nuclio_sdk.TriggerInfo("v3io-stream", "s"), path=topic, topic=topic,
            shard_id=0, offset=offset, timestamp=appended,
        )  # fmt: skip

    async def get(self, path):
        event = nuclio_sdk.Event(b"", trigger=nuclio_sdk.TriggerInfo("http", "http"), path=path, method="GET")
        return await concept_drift.handler(self.context, event)


async def settle():
    """Let the loop do what was handed to it."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def worker(tmp_path, monkeypatch):
    monkeypatch.setenv("LEEWAY_HOME", str(tmp_path))
    monkeypatch.setenv("LEEWAY_RANGE_ROWS", "2")
    monkeypatch.setenv("LEEWAY_RANGE_SECONDS", "3600")
    return Worker()


def test_what_is_committed_is_acknowledged_and_the_rest_at_the_end(worker):
    async def drive():
        for offset, body in enumerate(MESSAGES):
            await concept_drift.handler(worker.context, worker.stream(offset, body))
        await settle()
        early = list(worker.acked)
        worker.platform._on_signal("termination")
        await settle()
        return early

    early = asyncio.run(drive())
    assert early == [{"topic": "users/elec", "partition": 0, "offset": 1}]
    assert [ack["offset"] for ack in worker.acked] == [1, 2]


def test_a_rebalance_commits_what_waits_and_what_follows_begins_where_the_state_stands(worker):
    async def drive():
        await concept_drift.handler(worker.context, worker.stream(0, MESSAGES[0]))
        worker.platform._on_signal("drain")
        await settle()
        early = [ack["offset"] for ack in worker.acked]
        for offset, body in enumerate(MESSAGES):
            await concept_drift.handler(worker.context, worker.stream(offset, body))
        worker.platform._on_signal("termination")
        await settle()
        return early, await worker.get("/")

    early, status = asyncio.run(drive())
    document = json.loads(status.body)
    assert early == [0]
    assert worker.acked[-1]["offset"] == 2
    assert document["counts"]["predictions"] == {**document["counts"]["predictions"], "counted": 1, "rows": 1}
    assert (document["counts"]["feedback"]["joined"], document["counts"]["dead_lettered"]) == (1, 1)


@pytest.mark.parametrize(
    ("topic", "shown"),
    [
        ("users.elec", "embedded:///{home}/users/elec"),
        ("another", "another"),
        ("users/elec", "embedded:///{home}/users/elec"),
    ],
)
def test_the_stream_is_known_by_the_variables_name_where_the_trigger_knows_only_a_topic(
    worker, monkeypatch, tmp_path, topic, shown
):
    monkeypatch.setenv("INFERENCE_STREAM", f"embedded:///{tmp_path}/users/elec")
    concept_drift.init_context(worker.context)

    async def drive():
        await concept_drift.handler(worker.context, worker.stream(0, MESSAGES[0], topic))
        worker.platform._on_signal("termination")
        await settle()
        return await worker.get("/")

    document = json.loads(asyncio.run(drive()).body)
    assert document["consumers"][0]["stream"] == shown.format(home=tmp_path)
    assert worker.acked[-1]["topic"] == topic, "an acknowledgement names what the event named"


def test_http_says_what_was_found(worker):
    async def drive():
        for offset, body in enumerate(MESSAGES):
            await concept_drift.handler(worker.context, worker.stream(offset, body))
        worker.platform._on_signal("termination")
        return await worker.get("/"), await worker.get("/metrics")

    status, metrics = asyncio.run(drive())
    document = json.loads(status.body)
    assert document["counts"]["predictions"]["counted"] == 1
    assert document["counts"]["feedback"]["joined"] == 1
    assert document["counts"]["dead_lettered"] == 1
    assert document["endpoints"] == {
        "shop/server/a/default/a/v1": {"deployment": "shop/server/a", "state": "no profile", "trouble": None}
    }
    assert document["consumers"][0]["position"] == 3
    line = 'leeway_records_total{deployment="shop/server/a",kind="feedback",outcome="joined"} 1.0'
    assert line in metrics.body.decode().splitlines()


def test_a_store_that_cannot_be_read_is_a_503_and_not_a_traceback(worker, monkeypatch):
    monkeypatch.setenv("LEEWAY_STATE", "gopher://nowhere")
    concept_drift.init_context(worker.context)
    response = asyncio.run(worker.get("/"))
    assert response.status_code == 503
    assert "gopher" in json.loads(response.body)["error"]


def test_the_hub_item_asks_for_the_stream_that_the_variable_names():
    with open("functions/concept_drift/item.yaml") as file:
        item = yaml.safe_load(file)
    assert item["spec"]["customFields"]["annotations"] == {"leeway/stream-from": "INFERENCE_STREAM"}
    assert item["spec"]["filename"] == "concept_drift.py"
    assert callable(getattr(concept_drift, item["spec"]["handler"]))
