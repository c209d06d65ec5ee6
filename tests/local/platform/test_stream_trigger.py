"""Events from an embedded stream: each message at least once, from where the group stands."""

import json

import pytest

from leeway.backends import connect

pytestmark = pytest.mark.slow

CODE = """
import json, os
from nuclio_sdk import QualifiedOffset
async def handler(context, event):
    with open(os.environ["SEEN"], "a") as file:
        print(json.dumps([event.shard_id, event.offset, event.body.decode(), event.topic, event.path,
                          event.trigger.kind, context.trigger.kind, event.num_shards]), file=file)
    if b"bad" in event.body:
        raise ValueError("bad one")
    if os.environ.get("ACK_UP_TO") and event.offset < int(os.environ["ACK_UP_TO"]):
        await context.platform.explicit_ack(QualifiedOffset.from_event(event))
"""
URL = "users/admin/elec"


@pytest.fixture
def reader(laptop, tmp_path):
    """Deploys a function on the stream; `seen` are its events so far."""
    path = tmp_path / "seen"

    class Reader:
        stream = connect.stream(URL, laptop.settings)

        def deploy(self, explicit="disable", **env):
            attributes = {"containerName": "users", "streamPath": "/admin/elec"}
            triggers = {"s": {"kind": "v3ioStream", "explicitAckMode": explicit, "attributes": attributes}}
            return laptop.deploy("reader", CODE, env={"SEEN": str(path), **env}, triggers=triggers)

        def seen(self):
            return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

        def wait(self, count):
            laptop.until(lambda: len(self.seen()) >= count, f"{count} events")
            return self.seen()

        def wait_committed(self, offset):
            laptop.until(lambda: self.stream.committed("reader", 0) == offset, f"commit of {offset}")

    yield Reader()
    Reader.stream.close()


def test_messages_come_one_by_one_in_order_and_are_committed(reader):
    reader.stream.append([("key", b"%d" % i) for i in range(3)])
    assert reader.deploy()["state"] == "ready"
    reader.stream.append([("key", b"%d" % i) for i in range(3, 1000)])
    seen = reader.wait(1000)
    assert seen[0] == [0, 0, "0", URL, URL, "v3io-stream", "v3ioStream", 1]
    assert [(offset, body) for _, offset, body, *_ in seen] == [(i, str(i)) for i in range(1000)]
    reader.wait_committed(1000)


def test_a_message_that_the_handler_refuses_stops_nothing(reader, laptop):
    reader.stream.append([("key", b"0"), ("key", b"bad"), ("key", b"2"), ("key", b"bad")])
    reader.deploy()
    reader.wait(4)
    reader.wait_committed(3)
    assert "offset 1 of users/admin/elec" in laptop.log("reader")
    assert "bad one" in laptop.log("reader")


def test_a_new_version_goes_on_where_the_old_one_stopped(reader):
    reader.stream.append([("key", b"%d" % i) for i in range(500)])
    reader.deploy()
    for version in range(3):
        reader.deploy(VERSION=str(version))
        reader.stream.append([("key", b"%d" % i) for i in range(500 * (version + 1), 500 * (version + 2))])
    seen = reader.wait(2000)
    assert [offset for _, offset, *_ in seen] == list(range(2000)), "nothing twice: the old one ends first"


def test_with_explicit_acks_only_what_was_acknowledged_is_committed(reader):
    reader.stream.append([("key", b"%d" % i) for i in range(10)])
    reader.deploy(explicit="explicitOnly", ACK_UP_TO="4")
    reader.wait(10)
    reader.wait_committed(4)
    reader.deploy(explicit="explicitOnly", ACK_UP_TO="100")
    assert [offset for _, offset, *_ in reader.wait(16)[10:]] == list(range(4, 10)), "the rest comes again"
    reader.wait_committed(10)


def test_the_annotation_takes_the_stream_from_a_variable(laptop, reader, tmp_path):
    reader.stream.append([("key", b"0")])
    env = {"INFERENCE_STREAM": URL, "SEEN": str(tmp_path / "seen"), "ACK_UP_TO": "9"}
    status = laptop.deploy("reader", CODE, env=env, annotations={"leeway/stream-from": "INFERENCE_STREAM"})
    assert status["externalInvocationUrls"] == []
    reader.wait(1)
    reader.wait_committed(1)


def test_shards_are_dealt_out_to_workers_and_a_dead_one_is_followed_at_its_place(laptop, tmp_path):
    import dataclasses
    import os
    import signal

    settings = dataclasses.replace(laptop.settings, stream_shards=4)
    stream = connect.stream("wide", settings)
    stream.append([(f"key-{i}", b"%d" % i) for i in range(400)])
    attributes = {"containerName": "", "streamPath": "wide"}
    triggers = {"s": {"kind": "v3ioStream", "numWorkers": 2, "attributes": attributes}}
    status = laptop.deploy("reader", CODE, env={"SEEN": str(tmp_path / "seen")}, triggers=triggers)
    path = tmp_path / "seen"
    laptop.until(lambda: path.exists() and len(path.read_text().splitlines()) >= 400, "400 events")
    os.kill(status["workers"][1]["pid"], signal.SIGKILL)
    stream.append([(f"key-{i}", b"%d" % i) for i in range(400, 800)])
    laptop.until(lambda: len({tuple(json.loads(line)[:2]) for line in path.read_text().splitlines()}) == 800, "all 800")
    stream.close()


def test_a_stream_that_nobody_can_read_is_an_error_of_the_deploy(laptop):
    attributes = {"containerName": "", "streamPath": "ftp://somewhere/x"}
    status = laptop.deploy("reader", CODE, triggers={"s": {"kind": "v3ioStream", "attributes": attributes}})
    assert status["state"] == "error"
    assert "ftp" in status["message"]
    status = laptop.deploy("reader", CODE, triggers={"s": {"kind": "v3ioStream"}})
    assert "names no stream" in status["message"]
