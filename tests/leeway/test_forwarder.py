import os
import signal
import threading

import pytest

from leeway import outbox_layout as layout
from leeway.clock import SystemClock
from leeway.errors import StoreError
from leeway.files import OsFiles
from leeway.forwarder import Forwarder, adopt
from leeway.outbox import Outbox
from leeway.outbox_file import OutboxFile
from leeway.record import OUTBOX_END, decode
from leeway.settings import Settings

KEY = "leeway/model-server/elec_v1"
PATIENCE_S = 60.0


@pytest.fixture
def folder(home):
    return home / "outbox" / "leeway" / "model-server"


@pytest.fixture
def outbox(folder, settings, clock):
    outbox = Outbox.create(folder, settings, clock)
    yield outbox
    outbox.close()


def fill(outbox, count, first=0):
    for i in range(first, first + count):
        assert outbox.append(KEY, lambda origin, i=i: b"%d" % i)


def records(stream):
    return [int(value) for _, value in stream.kept if not value.startswith(b"{")]


def ends(stream):
    return [decode(value) for _, value in stream.kept if value.startswith(b"{")]


def watched(stream, count):
    """An event that is set when the stream holds so many entries."""
    there, append = threading.Event(), stream.append

    def watched_append(entries):
        taken = append(entries)
        if len(stream.kept) >= count:
            there.set()
        return taken

    stream.append = watched_append
    return there


def test_what_is_appended_arrives_without_being_asked_for(outbox, memory_stream):
    forwarder, there = Forwarder(outbox, lambda: memory_stream, SystemClock()), watched(memory_stream, 5)
    forwarder.start()
    fill(outbox, 5)
    assert there.wait(PATIENCE_S)
    assert records(memory_stream) == [0, 1, 2, 3, 4]
    assert forwarder.close(PATIENCE_S)


def test_closing_sends_the_rest_and_one_end_and_removes_the_file(outbox, memory_stream, folder):
    forwarder = Forwarder(outbox, lambda: memory_stream, SystemClock())
    forwarder.start()
    fill(outbox, 2_000)
    outbox.drop(KEY, "outbox_full")
    assert forwarder.close(PATIENCE_S)
    assert forwarder.close(PATIENCE_S)
    assert records(memory_stream) == list(range(2_000))
    assert [(end.op, end.origin.seq, end.origin.dropped) for end in ends(memory_stream)] == [
        (OUTBOX_END, 2_000, {"outbox_full": 1})
    ]
    assert list(folder.iterdir()) == []
    assert not outbox.append(KEY, lambda origin: b"late")


def test_an_outbox_that_was_never_used_ends_without_a_word(outbox, memory_stream, folder):
    assert Forwarder(outbox, lambda: memory_stream, SystemClock()).close(PATIENCE_S)
    assert memory_stream.kept == []
    assert list(folder.iterdir()) == []


def test_a_stream_that_takes_four_of_ten_gets_all_of_them(outbox, memory_stream):
    memory_stream.takes = 4
    fill(outbox, 10)
    assert Forwarder(outbox, lambda: memory_stream, SystemClock()).close(PATIENCE_S)
    assert records(memory_stream) == list(range(10))
    assert len(ends(memory_stream)) == 1


def test_a_stream_that_is_away_gets_everything_when_it_is_back(outbox, memory_stream):
    attempts, away = [], threading.Event()

    def connect():
        attempts.append(1)
        if len(attempts) < 3:
            raise StoreError("no broker at this address")
        return memory_stream

    there = watched(memory_stream, 3)
    memory_stream.close = away.set
    forwarder = Forwarder(outbox, connect, SystemClock())
    forwarder.start()
    fill(outbox, 3)
    assert there.wait(PATIENCE_S)
    memory_stream.is_away = True
    fill(outbox, 3, first=3)
    assert away.wait(PATIENCE_S), "a failed connection is given up"
    memory_stream.is_away = False
    assert forwarder.close(PATIENCE_S)
    assert records(memory_stream) == list(range(6))
    assert len(attempts) >= 4


def test_any_exception_of_a_stream_is_survived(outbox, memory_stream):
    def connect():
        if memory_stream.shards == 1:
            memory_stream.shards = 2
            raise RuntimeError("a vendor's client said something odd")
        return memory_stream

    fill(outbox, 1)
    assert Forwarder(outbox, connect, SystemClock()).close(PATIENCE_S)
    assert records(memory_stream) == [0]


def test_what_could_not_be_sent_in_time_is_left_to_be_adopted(outbox, memory_stream, folder):
    memory_stream.is_away = True
    forwarder = Forwarder(outbox, lambda: memory_stream, SystemClock())
    fill(outbox, 3)
    assert not forwarder.close(0.2)
    assert "away" in forwarder.error
    memory_stream.is_away = False
    assert adopt(folder, memory_stream) == 1
    assert records(memory_stream) == [0, 1, 2]
    assert [end.origin.seq for end in ends(memory_stream)] == [3]


def test_a_batch_is_sent_when_it_is_full(outbox, memory_stream):
    there = watched(memory_stream, 1)
    forwarder = Forwarder(outbox, lambda: memory_stream, SystemClock(), batch=5)
    forwarder.start()
    fill(outbox, 5)
    assert there.wait(PATIENCE_S)
    assert memory_stream.kept[0] == (KEY, b"[0,1,2,3,4]")
    fill(outbox, 2, first=5)
    assert forwarder.close(PATIENCE_S)
    assert memory_stream.kept[1] == (KEY, b"[5,6]")


def test_a_forwarder_adopts_what_a_dead_process_left_beside_it(outbox, memory_stream, folder, settings, clock):
    dead = Outbox.create(folder, settings, clock)
    fill(dead, 2, first=100)
    dead.close()
    there = watched(memory_stream, 3)
    forwarder = Forwarder(outbox, lambda: memory_stream, SystemClock())
    forwarder.start()
    assert there.wait(PATIENCE_S)
    fill(outbox, 1)
    assert forwarder.close(PATIENCE_S)
    assert records(memory_stream) == [100, 101, 0]
    assert {end.origin.outbox: end.origin.seq for end in ends(memory_stream)} == {dead.id: 2, outbox.id: 1}
    assert list(folder.iterdir()) == []


def test_a_living_outbox_is_not_adopted_by_another_process_and_a_dead_one_is(folder, memory_stream, child):
    holder = child("hold_outbox", folder)
    outbox_id = holder.stdout.readline().strip()
    assert adopt(folder, memory_stream) == 0
    assert memory_stream.kept == []
    holder.kill()
    holder.wait(PATIENCE_S)
    assert adopt(folder, memory_stream) == 1
    assert memory_stream.kept[0] == ("p/f/d", b"of the child")
    assert [(end.origin.outbox, end.origin.seq) for end in ends(memory_stream)] == [(outbox_id, 1)]
    assert adopt(folder, memory_stream) == 0
    assert list(folder.iterdir()) == []


def test_every_record_that_a_killed_process_had_answered_arrives(folder, memory_stream, child):
    writer = child("append_until_killed", folder)
    for _ in range(700):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    answered = 700 + len(writer.stdout.read().split())
    assert adopt(folder, memory_stream) == 1
    found = [int(value.split()[0]) for _, value in memory_stream.kept if not value.startswith(b"{")]
    assert found == list(range(1, len(found) + 1))
    assert len(found) in (answered, answered + 1), "one may be kept whose answer did not leave any more"
    assert sum(end.origin.seq for end in ends(memory_stream)) == len(found)


def test_a_file_that_another_process_just_ended_is_not_adopted(outbox, folder):
    fill(outbox, 1)
    outbox.close()

    class Late(OsFiles):
        """Gets the lock when the first owner has let go of it: the file is gone then, another has its name."""

        def lock(self, fd):
            outbox.file.path.rename(folder / "gone")
            outbox.file.path.write_bytes(b"")
            return super().lock(fd)

    assert OutboxFile.adopt(outbox.file.path, Late()) is None


def test_adoption_goes_on_where_the_last_one_stopped(outbox, folder, memory_stream):
    fill(outbox, 10)
    outbox.close()

    memory_stream.takes = 4
    append = memory_stream.append

    def append_once(entries):
        taken = append(entries)
        memory_stream.takes = 0
        return taken

    memory_stream.append = append_once
    with pytest.raises(StoreError, match="takes nothing"):
        adopt(folder, memory_stream)
    memory_stream.append, memory_stream.takes = append, None
    assert adopt(folder, memory_stream) == 1
    assert records(memory_stream) == list(range(10))


def test_own_records_need_not_wait_while_a_long_file_is_adopted(outbox, folder, memory_stream):
    for _ in range(3):
        assert outbox.append(KEY, lambda origin: b"x" * 300_000)
    outbox.close()
    moments = []
    assert adopt(folder, memory_stream, between=lambda: moments.append(len(memory_stream.kept))) == 1
    assert moments == [1, 2, 3]


def test_an_unreadable_file_does_not_keep_others_from_being_adopted(outbox, folder, memory_stream, caplog):
    fill(outbox, 1)
    outbox.close()
    (folder / "0.outbox").write_bytes(b"from another world")
    assert adopt(folder, memory_stream) == 1
    assert records(memory_stream) == [0]
    assert "0.outbox" in caplog.text and (folder / "0.outbox").exists()


def test_synced_records_are_synced_before_the_answer(folder, clock):
    class Synced(OsFiles):
        syncs = 0

        def datasync(self, fd):
            self.syncs += 1

    files = Synced()
    outbox = Outbox.create(folder, Settings(outbox_sync=True), clock, files)
    for count in (1, 2, 3):
        fill(outbox, 1)
        assert files.syncs == count
    outbox.close()


def test_a_sync_that_fails_drops_the_record_for_good(folder, clock, memory_stream):
    class Unsynced(OsFiles):
        def datasync(self, fd):
            raise OSError(5, "input/output error")

    outbox = Outbox.create(folder, Settings(outbox_sync=True), clock, Unsynced())
    assert not outbox.append(KEY, lambda origin: b"1")
    outbox.close()
    assert adopt(folder, memory_stream) == 1
    assert records(memory_stream) == []
    assert [(end.origin.seq, end.origin.dropped) for end in ends(memory_stream)] == [(0, {"write_error": 1})]


def test_drops_that_found_no_place_in_the_file_are_told_at_the_end(outbox, memory_stream, monkeypatch):
    def refuse(key):
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(outbox.file, "add_slot", refuse)
        assert not outbox.append(KEY, lambda origin: b"dropped")
    assert Forwarder(outbox, lambda: memory_stream).close(5)
    assert [(end.origin.seq, end.origin.dropped) for end in ends(memory_stream)] == [(0, {"no_slot": 1})]


def test_an_outbox_of_another_layout_stays_where_it_is_and_holds_nobody_up(
    outbox, memory_stream, folder, settings, clock
):
    newer = Outbox.create(folder, settings, clock)
    fill(newer, 2)
    newer.close()
    data = bytearray(newer.file.path.read_bytes())
    data[8] = layout.VERSION + 1
    newer.file.path.write_bytes(data)
    older = Outbox.create(folder, settings, clock)
    fill(older, 1, first=7)
    older.close()
    fill(outbox, 1, first=9)
    forwarder = Forwarder(outbox, lambda: memory_stream, SystemClock())
    forwarder.work()
    assert sorted(records(memory_stream)) == [7, 9]
    assert forwarder.close(PATIENCE_S)
    assert list(folder.iterdir()) == [newer.file.path] and newer.file.path.read_bytes() == data
