"""Events from a real Kafka: at least once, in order, committed by the function's own acknowledgements only."""

import json
import os
import signal
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from leeway.backends import connect

pytestmark = [pytest.mark.slow, pytest.mark.engine("kafka")]

CODE = """
import json, os
from nuclio_sdk import QualifiedOffset
async def handler(context, event):
    with open(os.environ["SEEN"], "a") as file:
        print(json.dumps([event.shard_id, event.offset, event.body.decode(), event.trigger.kind, context.trigger.kind,
                          event.path == event.topic, event.content_type, os.getpid()]), file=file)
    if event.offset < int(os.environ["ACK_UP_TO"]):
        await context.platform.explicit_ack(QualifiedOffset.from_event(event))
    if event.body == b"bad":
        raise ValueError("bad one")
"""


@pytest.fixture
def reader(laptop, kafka, tmp_path):
    """Deploys a function on a topic of four partitions; `seen` are its events so far."""
    url = f"{kafka.url}/t-{uuid4().hex[:8]}"
    path = tmp_path / "seen"

    class Reader:
        stream = connect.stream(url, replace(laptop.settings, stream_shards=4))

        def deploy(self, workers=2, begin="earliest", **env):
            attributes = {
                "brokers": [kafka.url.removeprefix("kafka://")], "topics": [url.rpartition("/")[2]],
                "initialOffset": begin,
            }  # fmt: skip
            trigger = {
                "kind": "kafka-cluster", "explicitAckMode": "explicitOnly", "numWorkers": workers,
                "workerTerminationTimeout": "100ms", "attributes": attributes,
            }  # fmt: skip
            status = laptop.deploy("reader", CODE, env={"SEEN": str(path), **env}, triggers={"k": trigger})
            assert status["state"] == "ready", status["message"]
            return status

        def seen(self):
            return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

        def wait(self, count):
            laptop.until(lambda: len({(shard, at) for shard, at, *_ in self.seen()}) >= count, f"{count} events")
            return self.seen()

        def wait_committed(self, offsets):
            laptop.until(
                lambda: [self.stream.committed("reader", shard) for shard in range(4)] == offsets, f"commit {offsets}"
            )

    with closing(Reader.stream):
        yield Reader()


def fill(stream):
    """Some hundred messages over the four partitions; how many came to each."""
    stream.append([(f"k{i % 40}", b"%d" % i) for i in range(200)])
    return [stream.bounds(shard)[1] for shard in range(4)]


def test_each_message_comes_once_and_in_order_from_the_earliest_on_to_each_of_the_workers(reader):
    ends = fill(reader.stream)
    reader.deploy(ACK_UP_TO="1000")
    seen = reader.wait(200)
    assert seen[0][3:7] == ["kafka-cluster", "kafka-cluster", True, ""]
    for shard in range(4):
        assert [offset for at, offset, *_ in seen if at == shard] == list(range(ends[shard]))
    assert len({pid for *_, pid in seen}) == 2, "both workers had their share"
    reader.wait_committed(ends)


def test_what_was_not_acknowledged_comes_again_whatever_was_handled_after_it(reader, laptop):
    ends = fill(reader.stream)
    reader.deploy(ACK_UP_TO="7")
    reader.wait(200)
    reader.wait_committed([7] * 4)
    for worker in laptop.status("reader")["workers"]:
        os.kill(worker["pid"], signal.SIGKILL)
    laptop.until(lambda: len(reader.seen()) >= 200 + sum(ends) - 4 * 7, "the rest again")
    again = reader.seen()[200:]
    for shard in range(4):
        assert [offset for at, offset, *_ in again if at == shard] == list(range(7, ends[shard]))


def test_a_new_group_may_begin_with_what_comes_next(reader, laptop):
    fill(reader.stream)
    reader.deploy(ACK_UP_TO="1000", begin="latest")
    laptop.until(lambda: reader.stream.append([("k", b"next")]) and reader.seen(), "a message that came later")
    assert {body for _, _, body, *_ in reader.seen()} == {"next"}


def test_a_new_group_may_begin_at_a_time(reader, laptop):
    reader.stream.append([("k", b"old")])
    shard = next(each for each in range(4) if reader.stream.bounds(each)[1])
    began = reader.stream.read(shard, 0, 1)[0].appended

    def newest():
        reader.stream.append([("k", b"more")])
        return reader.stream.read(shard, reader.stream.bounds(shard)[1] - 1, 1)[0]

    last = laptop.until(lambda: (found := newest()).appended > began and found, "the next second")
    reader.deploy(ACK_UP_TO="1000", begin=datetime.fromtimestamp(last.appended, UTC).isoformat())
    seen = reader.wait(1)
    assert seen[0][:2] == [shard, last.offset]


def test_a_message_that_the_handler_refuses_stops_nothing(reader, laptop):
    reader.stream.append([("k", body) for body in (b"0", b"bad", b"2")])
    reader.deploy(ACK_UP_TO="1000")
    reader.wait(3)
    laptop.until(lambda: "bad one" in laptop.log("reader"), "the reason in the log")
    assert [body for _, _, body, *_ in reader.seen()] == ["0", "bad", "2"]


def test_a_topic_that_keeps_the_producers_times_is_refused_with_the_command_that_mends_it(laptop, kafka):
    from confluent_kafka.admin import AdminClient, NewTopic

    topic = f"t-{uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka.url.removeprefix("kafka://")})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    attributes = {"brokers": [kafka.url.removeprefix("kafka://")], "topics": [topic]}
    status = laptop.deploy(
        "reader", CODE, env={"SEEN": "x", "ACK_UP_TO": "1"},
        triggers={"k": {"kind": "kafka-cluster", "explicitAckMode": "explicitOnly", "attributes": attributes}},
    )  # fmt: skip
    assert status["state"] == "error"
    assert f"--entity-name {topic} --add-config message.timestamp.type=LogAppendTime" in status["message"]


@pytest.mark.engine("secure_kafka")
def test_a_broker_that_wants_tls_and_a_password_is_read_with_the_options_of_the_function(
    laptop, secure_kafka, tmp_path
):
    url, path = f"{secure_kafka.url}/t-{uuid4().hex[:8]}", tmp_path / "seen"
    options = json.dumps(
        {
            "security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_user": secure_kafka.user_name,
            "sasl_pass": secure_kafka.password, "ssl_cafile": str(secure_kafka.ca),
        }
    )  # fmt: skip
    attributes = {"brokers": [secure_kafka.url.removeprefix("kafka://")], "topics": [url.rpartition("/")[2]]}
    with closing(connect.stream(url, replace(laptop.settings, kafka_options=options))) as stream:
        stream.append([("k", b"0"), ("k", b"1")])
        status = laptop.deploy(
            "reader", CODE, env={"SEEN": str(path), "ACK_UP_TO": "9", "LEEWAY_KAFKA_OPTIONS": options},
            triggers={"k": {"kind": "kafka-cluster", "explicitAckMode": "explicitOnly", "attributes": attributes}},
        )  # fmt: skip
        assert status["state"] == "ready", status["message"]
        laptop.until(lambda: path.exists() and len(path.read_text().splitlines()) == 2, "both messages")
        laptop.until(lambda: stream.committed("reader", 0) == 2, "their acknowledgement")
