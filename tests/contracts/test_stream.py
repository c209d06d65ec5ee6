"""What every stream keeps, whatever it lies on."""

import threading
from collections import defaultdict
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.backends import connect
from leeway.errors import StoreError, TooLarge
from leeway.local.triggers.start_offset import start_offset
from leeway.outbox import Outbox
from leeway.outbox_sender import OutboxSender
from leeway.record import INFER, TOO_LARGE, Record, Request, encode
from monitoring.decode import decode
from tests.until import until

SERVERS = [pytest.param("kafka", marks=[pytest.mark.slow, pytest.mark.engine("kafka")]), "v3io"]


def everything(stream):
    return [message for shard in range(stream.shards) for message in stream.read(shard, 0, 1_000_000)]


def test_messages_come_back_in_order_with_offsets_without_gaps(open_stream):
    stream = open_stream()
    assert stream.append([("a", b"1"), ("b", b"2")]) == 2
    assert stream.append([("a", b"3")]) == 1
    assert [(m.offset, m.key, m.value) for m in stream.read(0, 0, 10)] == [
        (0, "a", b"1"),
        (1, "b", b"2"),
        (2, "a", b"3"),
    ]
    assert [m.value for m in stream.read(0, 1, 1)] == [b"2"]
    assert stream.read(0, 3, 10) == []


def test_nothing_is_read_before_anything_was_written(open_stream):
    stream = open_stream(shards=2)
    assert [(stream.read(i, 0, 10), stream.bounds(i)) for i in range(2)] == [([], (0, 0))] * 2


def test_bounds_name_the_offset_of_the_next_message(open_stream):
    stream = open_stream()
    stream.append([("a", b"")] * 3)
    assert stream.bounds(0) == (0, 3)


def test_the_append_time_is_in_whole_seconds_and_never_goes_back(open_stream, stream_place, clock):
    stream, began = open_stream(), int(stream_place.now())
    for _ in range(3):
        stream.append([("a", b"")] * 5)
        clock.advance(0.6)
    times = [m.appended for m in stream.read(0, 0, 15)]
    assert len(times) == 15 and times == sorted(times)
    assert {type(each) for each in times} == {int}
    assert began <= times[0] and times[-1] <= stream_place.now() + 1


def test_a_key_stays_on_its_shard_when_the_stream_is_opened_anew(open_stream):
    for _ in range(2):
        open_stream(shards=4).append([(f"key{i}", b"") for i in range(40)])
    shards = defaultdict(set)
    for message in everything(open_stream(shards=4)):
        shards[message.key].add(message.shard)
    assert {len(found) for found in shards.values()} == {1}
    assert set.union(*shards.values()) == {0, 1, 2, 3}


def test_the_shard_count_of_the_creation_stays(open_stream):
    assert open_stream(shards=3).shards == 3
    assert open_stream(shards=5).shards == 3


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=9)), max_size=9), max_size=5))
def test_no_chunking_loses_or_reorders_the_messages_of_a_key(open_stream, chunks):
    stream = open_stream(shards=3)
    before = [stream.bounds(shard)[1] for shard in range(3)]
    for chunk in chunks:
        assert stream.append(chunk) == len(chunk)
    found, sent = defaultdict(list), defaultdict(list)
    for shard in range(3):
        for message in stream.read(shard, before[shard], 1_000):
            found[message.key].append(message.value)
    for key, value in (entry for chunk in chunks for entry in chunk):
        sent[key].append(value)
    assert found == sent


def test_a_group_goes_on_where_it_committed_and_never_moves_back(open_stream):
    stream = open_stream(shards=2)
    stream.commit("drift", 0, 5)
    stream.commit("drift", 0, 3)
    assert stream.committed("drift", 0) == 5
    assert stream.committed("drift", 1) == stream.committed("other", 0) == 0
    assert open_stream(shards=2).committed("drift", 0) == 5


def test_a_shard_that_is_not_there_is_refused_by_name(open_stream):
    with pytest.raises(StoreError, match="shards 0 to 0, not 1"):
        open_stream().read(1, 0, 1)


def test_two_processes_that_append_at_once_lose_nothing_and_keep_their_order(open_stream, stream_place, child):
    open_stream(shards=2)
    writers = [child(stream_place, "append_to_stream", stream_place.url, name, 700) for name in ("x", "y")]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    stream = open_stream()
    assert stream.shards == 2
    found = defaultdict(list)
    for shard in range(2):
        messages = stream.read(shard, 0, 10_000)
        assert [m.offset for m in messages] == list(range(len(messages)))
        assert [m.appended for m in messages] == sorted(m.appended for m in messages)
        for message in messages:
            found[message.key].append(int(message.value))
    assert found == {f"{name}/{i}": list(range(i, 700, 4)) for name in "xy" for i in range(4)}


def test_a_writer_that_is_killed_leaves_whole_messages_in_order(open_stream, stream_place, child):
    stream = open_stream(shards=2)
    writer = child(stream_place, "append_to_stream", stream_place.url, "x", 10_000_000)
    assert writer.stdout.readline() == "ready\n"
    writer.stdin.write("\n")
    writer.stdin.flush()
    until(lambda: len(everything(stream)) > 300, "some messages")
    writer.kill()
    writer.wait()
    assert stream.append([("x/0", b"-1")]) == 1
    found = defaultdict(list)
    for message in everything(stream):
        found[message.key].append(int(message.value))
    assert found["x/0"].pop() == -1
    assert found == {f"x/{i}": list(range(i, found[f"x/{i}"][-1] + 1, 4)) for i in range(4)}


def test_a_group_may_begin_at_either_end_or_at_a_time(open_stream, clock):
    stream = open_stream()
    stream.append([("k", b"")] * 3)
    first = stream.read(0, 0, 1)[0].appended
    while everything(stream)[-1].appended == first:
        clock.advance(0.1)
        stream.append([("k", b"")] * 3)
    later = next(message.offset for message in everything(stream) if message.appended > first)
    end = stream.bounds(0)[1]
    times = [datetime.fromtimestamp(first + seconds, UTC).isoformat() for seconds in (0, 1, 9)]
    assert [start_offset(stream, 0, each) for each in ("earliest", "latest", *times)] == [0, end, 0, later, end]


def test_threads_share_a_stream(open_stream):
    stream = open_stream()
    threads = [
        threading.Thread(target=lambda i=i: [stream.append([(f"{i}", b"%d" % j)]) for j in range(50)]) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = defaultdict(list)
    for message in stream.read(0, 0, 1_000):
        found[message.key].append(int(message.value))
    assert found == {str(i): list(range(50)) for i in range(4)}


def test_a_closed_stream_opens_again(open_stream):
    stream = open_stream()
    stream.append([("a", b"1")])
    stream.close()
    assert stream.bounds(0) == (0, 1)


def test_a_reader_goes_on_at_any_offset_while_more_is_appended(open_stream):
    stream, found, offset = open_stream(), [], 0
    for round in range(20):
        stream.append([("k", b"%d" % i) for i in range(10 * round, 10 * round + 10)])
        messages = stream.read(0, offset, 7)
        found += messages
        offset = messages[-1].offset + 1
    while messages := stream.read(0, offset, 7):
        found += messages
        offset = messages[-1].offset + 1
    assert [int(m.value) for m in found] == list(range(200))
    assert [int(m.value) for m in stream.read(0, 57, 3)] == [57, 58, 59], "and back again"


def test_any_bytes_and_any_key_come_back_as_they_were(open_stream):
    entries = [("", b""), ("clé/日本/\U0001f6a2", bytes(range(256))), ("k" * 200, "ü\0\n".encode())]
    stream = open_stream()
    assert stream.append(entries) == 3
    assert [(m.key, m.value) for m in stream.read(0, 0, 9)] == entries


def test_a_record_of_ten_megabytes_passes_between_small_ones(open_stream, stream_place):
    value = bytes(range(256)) * (stream_place.largest // 256)
    stream = open_stream()
    assert stream.append([("k", b"before"), ("k", value), ("k", b"behind")]) == 3
    assert [m.value for m in stream.read(0, 0, 9)] == [b"before", value, b"behind"]


def test_an_append_of_nothing_takes_nothing(open_stream):
    stream = open_stream()
    assert stream.append([]) == 0
    assert stream.bounds(0) == (0, 0)


def test_a_later_entry_that_cannot_be_taken_leaves_the_first_four(open_stream, refusing):
    stream, entries, mend = refusing()
    assert stream.append(entries) == 4
    stream = mend()
    rest = entries[4:]
    assert stream.append(rest) == len(rest)
    found = {}
    for message in everything(stream):
        found.setdefault(message.value, message.key)
    assert {value for _, value in entries} <= set(found)
    at = [list(found).index(value) for _, value in entries]
    assert at == sorted(at), "in order"


@pytest.fixture
def refusing(request, open_stream, stream_place, home):
    """A stream that takes the first four of ten entries, those entries, and what to do so that it takes the rest."""

    def embedded():
        stream = open_stream(shards=2)
        first, second = (next(k for k in map(str, range(99)) if shard_of(stream, k) == shard) for shard in (0, 1))
        stream.close()
        path = home / "streams" / stream_place.url / "shard-1.db"
        path.rename(path.with_name("aside"))
        path.mkdir()

        def mend():
            path.rmdir()
            path.with_name("aside").rename(path)
            return open_stream()

        keys = [first] * 4 + [second] * 6
        return open_stream(), [(key, b"%d" % i) for i, key in enumerate(keys)], mend

    def kafka():
        entries = [("k", b"%d" % i) for i in range(10)]
        entries[4] = ("k", b"4" * 68_000_000)  # more than the client lets through

        def mend():
            entries[4] = ("k", b"4")
            return open_stream()

        return open_stream(), entries, mend

    def v3io():
        stream_place.server.takes = 4

        def mend():
            stream_place.server.takes = None
            return open_stream()

        return open_stream(), [("k", b"%d" % i) for i in range(10)], mend

    return {"embedded": embedded, "kafka": kafka, "v3io": v3io}[request.node.callspec.params["stream_place"]]


def shard_of(stream, key):
    before = [stream.bounds(shard)[1] for shard in range(stream.shards)]
    stream.append([(key, b"probe")])
    return next(shard for shard in range(stream.shards) if stream.bounds(shard)[1] > before[shard])


@pytest.fixture
def narrow(open_stream, stream_place):
    """A stream that takes no message of three megabytes."""
    if stream_place.url.startswith("kafka"):
        from confluent_kafka.admin import AdminClient, NewTopic

        servers, name = stream_place.url.removeprefix("kafka://").split("/", 1)
        topic = name.replace("/", ".")
        config = {"message.timestamp.type": "LogAppendTime"}  # as who makes it by hand would: a megabyte
        admin = AdminClient({"bootstrap.servers": servers})
        admin.create_topics([NewTopic(topic, 1, 1, config=config)])[topic].result()
    return open_stream()


def dense(size):
    """Text that cannot be compressed by much."""
    return Random(size).randbytes(size // 2).hex()


def record(size):
    return lambda origin: encode(
        Record(
            schema=1, op=INFER, id=f"r-{origin.seq}", when="", project="shop", function_uri="shop/server",
            deployment="a", origin=origin, request=Request(f"r-{origin.seq}", [dense(size)]),
        )
    )  # fmt: skip


@pytest.mark.parametrize("stream_place", SERVERS, indirect=True)
@pytest.mark.parametrize("batch", [1, 10])
def test_a_record_that_is_too_large_is_told_in_its_place_and_holds_up_nothing(narrow, stream_place, home, clock, batch):
    with pytest.raises(TooLarge, match="3,000,000 bytes"):
        narrow.append([("k", dense(3_000_000).encode())])
    outbox = Outbox.create(home / "outbox", stream_place.settings, clock)
    for size in (10, 4_000_000, 400_000, 20):
        assert outbox.append("shop/server/a", record(size))
    sender = OutboxSender(outbox.file, clock, batch)
    until(lambda: sender.send(narrow) == 0, "the end of the outbox")
    assert sender.is_done
    outbox.close()
    found = [each for message in narrow.read(0, 0, 9) for each in decode(message.value)]
    assert [(each.origin.seq, each.id, each.request.id, each.op) for each in found] == [
        (seq, f"r-{seq}", f"r-{seq}", TOO_LARGE if seq == 2 else INFER) for seq in (1, 2, 3, 4)
    ]
    assert "bytes" in found[1].error


@pytest.mark.parametrize("stream_place", SERVERS, indirect=True)
def test_a_server_that_goes_away_takes_on_where_it_was(open_stream, stream_place, away):
    stream = open_stream()
    assert stream.append([("k", b"%d" % i) for i in range(5)]) == 5
    stream.commit("drift", 0, 3)
    stream.read(0, 0, 2)
    with away(stream_place.server):
        with pytest.raises(StoreError):
            stream.append([("k", b"lost")])
        with pytest.raises(StoreError):
            stream.read(0, 2, 1)
        with pytest.raises(StoreError, match=stream_place.url.rpartition("/")[2]):
            connect.stream(stream_place.url, stream_place.settings)
    assert stream.append([("k", b"5")]) == 1
    assert [m.value for m in stream.read(0, 2, 3)] == [b"2", b"3", b"4"]
    assert stream.read(0, 0, 99)[-1].value == b"5"
    assert stream.committed("drift", 0) == 3
    assert open_stream().read(0, 5, 1)[0].value in (b"5", b"lost"), "what was refused may have been taken"
