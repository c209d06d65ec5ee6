"""From an outbox over Kafka to verdicts in PostgreSQL and history on S3, while each of them goes away for a while."""

import base64
import os
import random
import signal
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import msgspec
import numpy as np
import pandas as pd
import psycopg
import pytest

from leeway.backends import connect
from leeway.clock import ManualClock, SystemClock
from leeway.forwarder import Forwarder
from leeway.interfaces import Message
from leeway.outbox import Outbox
from leeway.record import FEEDBACK, INFER, Record, Request, Response, encode
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.queries import Queries
from monitoring.reference import profile_of

pytestmark = [pytest.mark.slow, *(pytest.mark.engine(name) for name in ("kafka", "postgres", "s3"))]

FUNCTION = Path(__file__).parents[4] / "functions" / "concept_drift" / "concept_drift.py"
FEATURES, ROWS = ["price", "demand"], 3_000
KEY, ENDPOINT = "shop/server/elec", "shop/server/elec/default/elec/v1"
SMALL = {"LEEWAY_WINDOW_ROWS": "200", "LEEWAY_DETECTOR_ARL0": "2000", "LEEWAY_RANGE_ROWS": "300"}


def predict(frame):
    return (np.asarray(frame)[:, 0].astype(float) > 0.5).astype(int)


@pytest.fixture(scope="module")
def profile():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.random((3_000, 2)), columns=FEATURES)
    frame["y"] = predict(frame) ^ (rng.random(3_000) < 0.1)
    made = profile_of(frame, features=FEATURES, label="y", predict=predict, held_out=slice(1_500, None))
    return made.to_bytes()


@pytest.fixture
def settings(laptop, kafka, postgres, s3):
    """The engines in place of the embedded stores: three URLs."""
    schema = f"t{uuid4().hex[:8]}"
    with closing(psycopg.connect(postgres.url, autocommit=True)) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    database = f"{postgres.url}?options=-csearch_path%3D{schema}"
    return Settings(
        home=laptop.home, stream=kafka.url, state=database, series=database, archive=s3.url(f"b{schema}"),
        window_rows=200, detector_arl0=2_000, range_rows=300, stream_timeout_s=5.0, stream_shards=2,
    )  # fmt: skip


def records(count=ROWS):
    """Predictions, the truth of each twenty rows later; more answers are wrong in the second half."""
    draw = random.Random(5)
    rows = [[draw.random() + (0.8 if i > count * 0.6 else 0), draw.random()] for i in range(count)]
    for i, row in enumerate(rows):
        yield record(INFER, f"r-{i}", Request(inputs=[row]), Response(outputs=[int(row[0] > 0.5)]))
        if i >= 20:
            wrong = draw.random() < (0.1 if i < count * 0.6 else 0.5)
            truth = int(rows[i - 20][0] > 0.5) ^ wrong
            yield record(FEEDBACK, f"f-{i}", Request(f"r-{i - 20}", truth=[truth]), Response())


def record(op, id, request, response):
    return lambda origin: encode(
        Record(
            schema=1, op=op, id=id, when="2026-11-24T12:00:00.000000Z", project="shop", function_uri="shop/server",
            deployment="elec", endpoint_id=ENDPOINT if op == INFER else "", origin=origin, request=request,
            resp=response, features=FEATURES if op == INFER else None, microsec=500,
        )
    )  # fmt: skip


def test_nothing_is_lost_and_a_copy_of_the_stream_gives_the_same_verdicts(
    laptop, make_laptop, settings, profile, kafka, postgres, tmp_path
):
    topic = f"elec-{uuid4().hex[:8]}"
    url = f"{kafka.url}/{topic}"
    with closing(connect.state(settings, "shared")) as shared:
        shared.commit({f"profile/{ENDPOINT}": profile})
    connect.stream(url, settings).close()
    spec = dict(
        build={"functionSourceCode": "", "path": str(FUNCTION)},
        handler="concept_drift:handler",
        env={
            **SMALL, "INFERENCE_STREAM": url, "LEEWAY_STATE": settings.state, "LEEWAY_SERIES": settings.series,
            "LEEWAY_ARCHIVE": settings.archive,
        },
    )  # fmt: skip
    trigger = {
        "kind": "kafka-cluster", "explicitAckMode": "explicitOnly", "workerTerminationTimeout": "1s",
        "attributes": {"brokers": [kafka.url.removeprefix("kafka://")], "topics": [topic]},
    }  # fmt: skip

    def deploy(on, **more):
        status = on.deploy("drift", "", **spec, triggers={"k": {**trigger, **more}})
        assert status["state"] == "ready", status

    deploy(laptop)
    outbox = Outbox.create(tmp_path / "outbox", settings, SystemClock())
    forwarder = Forwarder(outbox, lambda: connect.stream(url, settings))
    forwarder.start()
    waiting = list(records())
    parts = [waiting[i : i + len(waiting) // 6] for i in range(0, len(waiting), len(waiting) // 6)]

    def keep(part):
        assert all(outbox.append(KEY, each) for each in part)

    def consumed():
        with Queries(settings) as queries:
            return sum(shown.position for shown in queries.consumers() if shown.stream == url)

    keep(parts[0])
    laptop.until(lambda: consumed() > 300, "the first ranges")
    with closing(connect.stream(url, settings)) as stream:
        assert stream.append([(KEY, b"no record")]) == 1
    kafka.stop()
    keep(parts[1])
    kafka.start()
    laptop.until(lambda: consumed() > 1_300, "ranges after the broker's restart")
    postgres.kill()
    keep(parts[2])
    os.kill(laptop.status("drift")["workers"][0]["pid"], signal.SIGKILL)
    postgres.start()
    keep(parts[3])
    second = make_laptop("second")  # a second consumer of the group joins, takes part, and leaves
    deploy(second)
    so_far = consumed()
    keep(parts[4])
    laptop.until(lambda: consumed() > so_far + 600, "ranges of two consumers")
    assert second.api("DELETE", "functions", {"metadata": {"name": "drift"}}).status == 204
    deploy(laptop, numWorkers=2)  # the partitions are dealt out anew
    for part in parts[5:]:
        keep(part)
    assert forwarder.close(60)
    with closing(connect.stream(url, settings)) as stream:
        shard = max((0, 1), key=lambda each: stream.bounds(each)[1])
        end = stream.bounds(shard)[1]
        laptop.until(lambda: consumed() == end, "everything")
        messages = [each for at in range(0, end, 1_000) for each in stream.read(shard, at, 1_000)]
    assert [each.offset for each in messages] == list(range(end))

    found = outcome(settings)
    counts = found["counts"][KEY]
    assert (counts["predictions"]["rows"], counts["feedback"]["joined"]) == (ROWS, ROWS - 20)
    assert counts["lost"] == 0
    with closing(connect.stream(f"{url}-dead", settings)) as dead:
        letters = [msgspec.json.decode(each.value) for at in range(dead.shards) for each in dead.read(at, 0, 10)]
    assert [base64.b64decode(letter["raw"]) for letter in letters] == [b"no record"]
    assert connect.archive(settings).read("prediction", KEY).num_rows == ROWS
    assert {incident.detector for incident in found["incidents"]} == {"concept_drift", "data_drift"}
    again = outcome(copied(messages, url, replace(settings, home=tmp_path / "copy"), profile))
    assert again["counts"] == found["counts"]
    assert again == found


def copied(messages: list[Message], url: str, settings: Settings, profile: bytes) -> Settings:
    """The stream with its append times in the embedded backend, consumed there."""
    embedded = replace(settings, stream="", state="", series="", archive="", stream_shards=1)
    clock = ManualClock(0)
    stream = connect.stream("copy", embedded, clock)
    for message in messages:
        clock.advance(message.appended - clock.now())
        stream.append([(message.key, message.value)])
    state, shared, series = (
        connect.state(embedded, "s"), connect.state(embedded, "shared"), connect.series(embedded)
    )  # fmt: skip
    shared.commit({f"profile/{ENDPOINT}": profile})
    consumer = Consumer(
        url,
        messages[0].shard,
        embedded,
        state,
        shared,
        series,
        connect.archive(embedded),
        clock,
        lambda incident: None,
        "s",
    )
    # Nuclio does not tell a message's key; the record itself names its deployment.
    consumer.consume(each._replace(key="") for each in stream.read(0, 0, len(messages)))
    for store in (stream, state, shared, series):
        store.close()
    return embedded


def outcome(settings: Settings):
    with Queries(settings) as queries, closing(connect.series(settings)) as series:
        return {
            "verdicts": [msgspec.json.encode(each) for each in queries.verdicts(ENDPOINT)],
            "counts": {KEY: queries.counts(KEY)},
            "incidents": queries.incidents(),
            "points": [series.read(name[0], name[1], feature=name[2]) for name in series.names()],
        }
