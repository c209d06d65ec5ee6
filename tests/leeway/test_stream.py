import sqlite3
import threading
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.backends.sqlite_stream import SqliteStream
from leeway.errors import StoreError


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


def test_the_append_time_is_the_clock_cut_to_whole_seconds(open_stream, clock):
    stream = open_stream()
    clock.advance(0.9)
    stream.append([("a", b"")])
    clock.advance(0.2)
    stream.append([("a", b"")])
    assert [m.appended for m in stream.read(0, 0, 2)] == [1_700_000_000, 1_700_000_001]


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


def test_two_processes_that_append_at_once_lose_nothing_and_keep_their_order(open_stream, child, home):
    writers = [child("append_to_stream", home, name, 2_000) for name in ("x", "y")]
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
        for message in messages:
            found[message.key].append(int(message.value))
    assert found == {f"{name}/{i}": list(range(i, 2_000, 4)) for name in "xy" for i in range(4)}


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


def test_what_every_group_has_read_goes_beyond_what_is_kept(home, clock):
    stream = SqliteStream(home / "s", 1, clock, kept_mb=1, limit_mb=4)
    for _ in range(30):
        stream.append([("k", bytes(1_000))] * 100)
        stream.commit("g", 0, stream.bounds(0)[1])
        clock.advance(10)
    first, end = stream.bounds(0)
    assert end == 3_000
    assert 800 <= end - first <= 1_300
    assert stream.lost(0) == 0
    assert [message.offset for message in stream.read(0, first, 5_000)] == list(range(first, end))
    stream.close()


def test_what_nobody_reads_goes_at_the_hard_limit_and_is_counted(home, clock):
    stream = SqliteStream(home / "s", 1, clock, kept_mb=1, limit_mb=2)
    stream.commit("g", 0, 100)
    for _ in range(40):
        stream.append([("k", bytes(1_000))] * 100)
        clock.advance(10)
    first, end = stream.bounds(0)
    assert end == 4_000
    assert first > 1_500
    assert stream.lost(0) == first - 100
    stream.close()
    assert SqliteStream(home / "s", 1, clock).lost(0) == first - 100


def test_a_stream_of_the_first_layout_is_migrated(home, clock):
    stream = SqliteStream(home / "s", 1, clock)
    stream.append([("k", b"1")])
    stream.close()
    with sqlite3.connect(home / "s" / "shard-0.db") as connection:
        connection.execute("DROP TABLE lost")
        connection.execute("PRAGMA user_version=1")
    connection.close()
    again = SqliteStream(home / "s", 1, clock)
    assert (again.lost(0), again.bounds(0)) == (0, (0, 1))
    again.close()
