import threading

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway import outbox_layout as layout
from leeway.clock import ManualClock
from leeway.errors import StoreError
from leeway.outbox import Outbox
from leeway.outbox_sender import OutboxSender
from leeway.settings import Settings

KEY = "leeway/model-server/elec_v1"
KIB = 1024


@pytest.fixture
def outbox(home, settings, clock, small_disk):
    outbox = Outbox.create(home / "outbox", settings, clock, small_disk)
    yield outbox
    outbox.close()


def test_numbers_start_at_one_and_have_no_gaps_for_each_key(outbox, left_behind, kept):
    seen = []
    for key in ("a/b/c", KEY, "a/b/c", KEY, KEY):
        assert outbox.append(key, lambda origin, key=key: seen.append((key, origin.seq, origin.outbox)) or b"x")
    assert seen == [(k, n, outbox.id) for k, n in [("a/b/c", 1), (KEY, 1), ("a/b/c", 2), (KEY, 2), (KEY, 3)]]
    file = left_behind(outbox)
    assert [(key, number) for key, number, _ in kept(file)] == [(k, n) for k, n, _ in seen]
    file.close()


def test_files_and_folders_are_for_their_owner_only(outbox, home):
    assert outbox.file.path.parent == home / "outbox"
    assert [path.stat().st_mode & 0o777 for path in (home, home / "outbox", outbox.file.path)] == [0o700, 0o700, 0o600]


def test_a_folder_that_cannot_be_written_is_an_error_that_says_so(tmp_path, settings, clock):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="set LEEWAY_HOME to a folder that is writable"):
        Outbox.create(tmp_path / "file" / "outbox", settings, clock)


def test_a_disk_too_small_for_the_header_leaves_nothing(home, settings, clock, small_disk):
    small_disk.room = 5_000
    with pytest.raises(StoreError, match="no space left"):
        Outbox.create(home, settings, clock, small_disk)
    assert list(home.iterdir()) == []


def test_waiting_counts_what_was_not_forwarded(outbox, memory_stream, clock):
    assert outbox.waiting() == (0, 0)
    for _ in range(5):
        outbox.append(KEY, lambda origin: b"12345")
    assert outbox.waiting() == (5, 5 * (5 + layout.FRAME_HEAD))
    memory_stream.takes = 2
    OutboxSender(outbox.file, clock).send(memory_stream)
    assert outbox.waiting() == (3, 3 * (5 + layout.FRAME_HEAD))


def test_over_the_limit_records_are_dropped_and_counted_and_later_ones_fit_again(outbox, memory_stream, clock):
    origins = []
    answers = [outbox.append(KEY, lambda origin: origins.append(origin) or b"x" * 300 * KIB) for _ in range(5)]
    assert answers == [True, True, True, False, False]
    assert outbox.dropped() == {KEY: {"outbox_full": 2}}
    sender = OutboxSender(outbox.file, clock)
    while sender.send(memory_stream):
        outbox.reclaim()
    assert outbox.append(KEY, lambda origin: origins.append(origin) or b"y")
    assert (origins[-1].seq, origins[-1].dropped) == (4, {"outbox_full": 2})


def test_drop_counters_are_in_the_file_of_a_killed_process(outbox, left_behind):
    for _ in range(3):
        outbox.drop(KEY, "sampled_out")
    outbox.append("a/b/c", lambda origin: b"")
    outbox.drop("a/b/c", "too_large")
    file = left_behind(outbox)
    assert {slot.key: slot.dropped for slot in file.slots} == {KEY: {"sampled_out": 3}, "a/b/c": {"too_large": 1}}
    file.close()


@pytest.mark.parametrize("room", [0, 5, layout.FRAME_HEAD, 900])
def test_a_write_that_the_disk_refuses_is_counted_and_leaves_a_clean_end(outbox, small_disk, room, left_behind, kept):
    outbox.append(KEY, lambda origin: b"first")
    small_disk.room = outbox.file.path.stat().st_size + room
    assert not outbox.append(KEY, lambda origin: b"torn" * 250)
    assert outbox.dropped() == {KEY: {"write_error": 1}}
    assert outbox.file.path.stat().st_size == small_disk.room - room
    small_disk.room *= 2
    assert outbox.append(KEY, lambda origin: b"second")
    file = left_behind(outbox)
    assert kept(file) == [(KEY, 1, b"first"), (KEY, 2, b"second")]
    assert file.slots[0].dropped == {"write_error": 1}
    file.close()


def test_drops_are_counted_on_a_full_disk_after_a_kill(outbox, small_disk, left_behind):
    outbox.append(KEY, lambda origin: b"first")
    small_disk.room = outbox.file.path.stat().st_size
    assert [outbox.append(key, lambda origin: b"more") for key in (KEY, "a/new/key")] == [False, False]
    file = left_behind(outbox)
    assert {slot.key: slot.dropped for slot in file.slots} == {KEY: {"write_error": 1}, "a/new/key": {"write_error": 1}}
    file.close()


def test_a_record_that_cannot_be_made_costs_no_number(outbox, left_behind, kept):
    assert not outbox.append(KEY, lambda origin: 1 / 0)
    assert not outbox.append(KEY, lambda origin: "no bytes")
    assert outbox.append(KEY, lambda origin: b"%d" % origin.seq)
    file = left_behind(outbox)
    assert kept(file) == [(KEY, 1, b"1")]
    assert file.slots[0].dropped == {"encode_error": 2}
    file.close()


def test_more_reasons_than_a_slot_holds_are_counted_together(outbox, left_behind):
    for i in range(20):
        outbox.drop(KEY, f"reason {i} with a long tail that is cut")
    file = left_behind(outbox)
    dropped = file.slots[0].dropped
    assert sum(dropped.values()) == 20 and dropped["other"] == 5 and len(dropped) == layout.REASONS
    assert outbox.dropped() == {KEY: dropped}
    file.close()


def test_more_keys_than_slots_are_dropped_not_mixed_up(outbox):
    keys = [f"p/f/{i}" for i in range(layout.SLOTS + 1)]
    assert [outbox.append(key, lambda origin: b"") for key in keys] == [True] * layout.SLOTS + [False]
    assert not outbox.append("k" * (layout.KEY_BYTES + 1), lambda origin: b"")
    assert not outbox.append("", lambda origin: b"")
    assert [counts for counts in outbox.dropped().values()] == [{"no_slot": 1}] * 3


def test_drops_from_before_a_key_had_its_slot_are_written_with_it(outbox, monkeypatch):
    add_slot = outbox.file.add_slot

    def refuse(key):
        raise OSError(5, "input/output error")

    monkeypatch.setattr(outbox.file, "add_slot", refuse)
    assert [outbox.append(KEY, lambda origin: b"") for _ in range(2)] == [False, False]
    monkeypatch.setattr(outbox.file, "add_slot", add_slot)
    origins = []
    assert outbox.append(KEY, lambda origin: origins.append(origin) or b"")
    assert (origins[0].seq, origins[0].dropped) == (1, {"no_slot": 2})
    assert outbox.dropped() == {KEY: {"no_slot": 2}}


def test_a_closed_outbox_drops_and_never_raises(outbox):
    outbox.append(KEY, lambda origin: b"")
    outbox.close()
    assert not outbox.append(KEY, lambda origin: b"")
    assert not outbox.append("another/key/x", lambda origin: b"")
    assert outbox.dropped() == {KEY: {"closed": 1}, "another/key/x": {"closed": 1}}


def test_two_threads_append_while_a_third_forwards(home, memory_stream, clock):
    outbox = Outbox.create(home, Settings(), clock)
    sender, stop = OutboxSender(outbox.file, clock), threading.Event()

    def write(key):
        for i in range(3_000):
            assert outbox.append(key, lambda origin, i=i: b"%d %d" % (origin.seq, i) + b"x" * 500)

    def forward():
        while not stop.is_set() or not sender.is_done:
            sender.send(memory_stream)
            outbox.reclaim()

    writers = [threading.Thread(target=write, args=(key,)) for key in ("p/f/a", "p/f/b")]
    forwarder = threading.Thread(target=forward)
    for thread in (*writers, forwarder):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    forwarder.join()
    for key in ("p/f/a", "p/f/b"):
        texts = [value.rstrip(b"x") for k, value in memory_stream.kept if k == key]
        assert texts == [b"%d %d" % (i + 1, i) for i in range(3_000)]
    assert outbox.file.base > 0
    outbox.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 2), st.sampled_from([0, 10, 70_000, 300_000])),
        st.tuples(st.just("send"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("drop"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("reclaim"), st.just(0), st.just(0)),
        st.tuples(st.just("full"), st.integers(0, 50_000), st.just(0)),
    ),
    max_size=40,
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_each_kept_record_arrives_in_order_and_each_drop_is_counted(
    tmp_path_factory, stream_type, disk_type, steps, left_behind
):
    clock, disk, stream = ManualClock(), disk_type(), stream_type()
    outbox = Outbox.create(tmp_path_factory.mktemp("outbox"), Settings(outbox_limit_mb=1), clock, disk)
    sender, answered, dropped = OutboxSender(outbox.file, clock), [], 0
    for what, number, size in steps:
        if what == "append":
            made = {}
            if outbox.append(
                f"p/f/{number}", lambda o, s=size, made=made: made.setdefault("x", b"%d " % o.seq + b"x" * s)
            ):
                answered.append((f"p/f/{number}", made["x"]))
            else:
                dropped += 1
        elif what == "send":
            stream.takes = number
            sender.send(stream)
        elif what == "drop":
            outbox.drop(f"p/f/{number}", "sampled_out")
            dropped += 1
        elif what == "reclaim":
            outbox.reclaim()
        else:
            disk.room = outbox.file.path.stat().st_size + number
    file = left_behind(outbox)
    stream.takes = None
    rest = OutboxSender(file, clock)
    while rest.send(stream):
        pass
    assert stream.kept == answered
    assert sum(sum(slot.dropped.values()) for slot in file.slots) == dropped
    for slot in file.slots:
        assert slot.last == sum(key == slot.key for key, _ in answered)
    file.delete()
