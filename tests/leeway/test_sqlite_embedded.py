"""What is the embedded stores' own; the rest is in tests/contracts."""

import sqlite3

from leeway.backends import connect
from leeway.backends.sqlite_stream import SqliteStream
from leeway.settings import Settings


def test_the_append_time_is_the_clock_cut_to_whole_seconds(home, clock):
    stream = connect.stream("s", Settings(home=home), clock)
    clock.advance(0.9)
    stream.append([("a", b"")])
    clock.advance(0.2)
    stream.append([("a", b"")])
    assert [m.appended for m in stream.read(0, 0, 2)] == [1_700_000_000, 1_700_000_001]
    stream.close()


def test_a_name_of_a_state_cannot_leave_the_home(home, tmp_path):
    connect.state(Settings(home=home), "../../x").commit({"a": b""})
    assert [path for path in tmp_path.rglob("*.db") if home not in path.parents] == []
    assert [path.name for path in home.rglob("*.db")] == ["x.db"]


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
