"""What the file of an outbox holds after its process died, wherever that was."""

import os
from errno import EIO, ENOSPC
from mmap import mmap

import pytest

from leeway import outbox_layout as layout
from leeway.errors import StoreError
from leeway.files import OsFiles
from leeway.outbox import Outbox
from leeway.outbox_file import OutboxFile
from leeway.outbox_sender import OutboxSender
from leeway.outbox_waiting import outboxes_below
from leeway.settings import Settings

KEY = "leeway/model-server/elec_v1"
KIB = 1024


@pytest.fixture
def outbox(home, settings, clock, small_disk):
    outbox = Outbox.create(home / "outbox", settings, clock, small_disk)
    yield outbox
    outbox.close()


@pytest.mark.parametrize("cut", [1, 500, 1_000 + layout.FRAME_HEAD - 1])
def test_reading_stops_at_a_torn_last_record(outbox, cut, kept):
    for text in (b"whole", b"torn" * 250):
        outbox.append(KEY, lambda origin, text=text: text)
    outbox.close()
    with outbox.file.path.open("r+b") as file:
        file.truncate(outbox.file.path.stat().st_size - cut)
    file = OutboxFile.adopt(outbox.file.path, OsFiles())
    assert kept(file) == [(KEY, 1, b"whole")]
    assert file.slots[0].last == 1
    file.close()


def test_a_changed_byte_ends_the_reading_before_it(outbox, kept):
    for _ in range(3):
        outbox.append(KEY, lambda origin: b"x" * 100)
    outbox.close()
    data = bytearray(outbox.file.path.read_bytes())
    data[layout.DATA + 116 + 50] ^= 1
    outbox.file.path.write_bytes(data)
    file = OutboxFile.adopt(outbox.file.path, OsFiles())
    assert [number for _, number, _ in kept(file)] == [1]
    file.close()


@pytest.mark.parametrize("size", [0, 40, 4_096, layout.DATA - 1])
def test_a_truncated_header_never_gives_records(outbox, size, kept):
    outbox.append(KEY, lambda origin: b"lost with the power")
    outbox.close()
    outbox.file.path.write_bytes(outbox.file.path.read_bytes()[:size])
    if size < 80:
        with pytest.raises(StoreError, match="move it away"):
            OutboxFile.adopt(outbox.file.path, OsFiles())
    else:
        file = OutboxFile.adopt(outbox.file.path, OsFiles())
        assert kept(file) == []
        file.close()


def test_another_layout_is_refused_and_says_what_to_do(outbox):
    outbox.close()
    data = bytearray(outbox.file.path.read_bytes())
    data[8] = 2
    outbox.file.path.write_bytes(data)
    with pytest.raises(StoreError, match=r"layout 2 .* use the Leeway that wrote it"):
        OutboxFile.adopt(outbox.file.path, OsFiles())


def test_a_number_is_never_used_again_after_the_file_was_emptied(outbox, memory_stream, clock, left_behind, kept):
    sender = OutboxSender(outbox.file, clock)
    numbers = []
    for _ in range(12):
        outbox.append(KEY, lambda origin: numbers.append(origin.seq) or b"x" * 300 * KIB)
        sender.send(memory_stream)
        outbox.reclaim()
    assert numbers == list(range(1, 13))
    assert outbox.file.base > 3 * 1024 * KIB
    assert outbox.file.path.stat().st_size < layout.DATA + 1300 * KIB
    file = left_behind(outbox)
    assert (kept(file), file.slots[0].last) == ([], 12)
    file.close()


def test_much_room_is_given_back(outbox, memory_stream, clock, left_behind, kept):
    for i in range(25):
        outbox.append(KEY, lambda origin: b"x" * 200 * KIB)
        if i < 24:
            OutboxSender(outbox.file, clock).send(memory_stream)
    outbox.reclaim()
    assert outbox.file.path.stat().st_size == layout.DATA + layout.FRAME_HEAD + 200 * KIB
    file = left_behind(outbox)
    assert [number for _, number, _ in kept(file)] == [25]
    file.close()


def test_what_waits_is_moved_to_the_front_when_the_rest_was_forwarded(outbox, memory_stream, clock, left_behind, kept):
    for i in range(7):
        outbox.append(KEY, lambda origin, i=i: b"%d" % i * 200 * KIB)
        outbox.append("a/b/c", lambda origin, i=i: b"small %d" % i)
        if i < 6:
            OutboxSender(outbox.file, clock).send(memory_stream)
            OutboxSender(outbox.file, clock).send(memory_stream)
    before = outbox.file.path.stat().st_size
    outbox.reclaim()
    outbox.append("a/b/c", lambda origin: b"after")
    assert outbox.file.path.stat().st_size == before  # its room is used again
    file = left_behind(outbox)
    assert kept(file) == [(KEY, 7, b"6" * 200 * KIB), ("a/b/c", 7, b"small 6"), ("a/b/c", 8, b"after")]
    file.close()


class PowerOff(Exception):
    """The process ends here."""


class Mortal(OsFiles):
    """Lives for `left` more writes and truncations."""

    def __init__(self):
        self.left = 1 << 30

    def pwrite(self, fd, data, offset):
        self._live()
        return OsFiles.pwrite(fd, data, offset)

    def truncate(self, fd, size):
        self._live()
        OsFiles.truncate(fd, size)

    def _live(self):
        self.left -= 1
        if self.left < 0:
            raise PowerOff


@pytest.mark.parametrize("left", range(5))
@pytest.mark.parametrize("waiting", [0, 1, 200])
def test_dying_while_the_file_is_emptied_loses_and_repeats_nothing(
    home, settings, clock, memory_stream, left, waiting, left_behind, kept
):
    files = Mortal()
    outbox = Outbox.create(home, settings, clock, files)
    sender = OutboxSender(outbox.file, clock)
    for _ in range(1_200):  # frames of one size: what a move leaves behind looks like frames in place
        outbox.append(KEY, lambda origin: b"x" * 1_000)
        if outbox.waiting()[0] == 60:
            sender.send(memory_stream)
    assert sender.is_done
    for _ in range(waiting):
        outbox.append(KEY, lambda origin: b"y" * 1_000)
    sent = len(memory_stream.kept)
    files.left = left
    try:
        outbox.reclaim()
    except PowerOff:
        pass
    file = left_behind(outbox)
    assert [number for _, number, _ in kept(file)] == list(range(sent + 1, sent + 1 + waiting))
    file.close()


class Mumbling(OsFiles):
    """Writes where frames begin, and raises then, so often; or raises at once."""

    def __init__(self):
        self.unheard, self.is_deaf = 0, False

    def pwrite(self, fd, data, offset):
        is_in_question = offset == layout.PLACE and self.unheard > 0
        written = 0 if is_in_question and self.is_deaf else OsFiles.pwrite(fd, data, offset)
        if is_in_question:
            self.unheard -= 1
            raise OSError(EIO, "input/output error")
        return written


@pytest.mark.parametrize("refused", [0, 2])
def test_what_is_kept_after_a_move_that_nobody_heard_of_is_found(
    home, settings, clock, memory_stream, left_behind, kept, refused
):
    files = Mumbling()
    outbox = Outbox.create(home / "outbox", settings, clock, files)
    for _ in range(6):
        assert outbox.append(KEY, lambda origin: b"x" * 200 * KIB)
        OutboxSender(outbox.file, clock).send(memory_stream)
    outbox.append(KEY, lambda origin: b"waits")
    files.unheard = 1
    with pytest.raises(OSError, match="input/output"):
        outbox.reclaim()
    files.unheard, files.is_deaf = refused, True
    numbers = [n for n in range(refused + 2) if outbox.append(KEY, lambda origin: b"after")]
    assert len(numbers) == 2 and outbox.dropped() == ({KEY: {"write_error": 2}} if refused else {})
    file = left_behind(outbox)
    assert [payload for _, _, payload in kept(file)] == [b"waits", b"after", b"after"]
    file.close()


class Mapping(OsFiles):
    """Maps while the disk has room; counts what is written into files otherwise, behind their headers."""

    def __init__(self):
        self.is_full, self.calls = False, 0

    def map(self, fd, size):
        if self.is_full:
            raise OSError(ENOSPC, "no space left on device")
        os.ftruncate(fd, size)
        return mmap(fd, size)

    def is_nearly_full(self, fd):
        return self.is_full

    def pwrite(self, fd, data, offset):
        self.calls += offset >= layout.DATA
        return OsFiles.pwrite(fd, data, offset)


@pytest.fixture
def mapping():
    return Mapping()


@pytest.fixture
def mapped(home, settings, clock, mapping):
    outbox = Outbox.create(home / "outbox" / "p" / "f", settings, clock, mapping)
    yield outbox
    outbox.close()


def test_a_mapped_file_is_found_as_it_was_left(mapped, mapping, clock, memory_stream, left_behind, kept):
    for number in range(1, 9):  # across what is mapped at first
        mapped.append(KEY, lambda origin, number=number: b"%d" % number * 200 * KIB)
        if number == 5:
            OutboxSender(mapped.file, clock).send(memory_stream)
            OutboxSender(mapped.file, clock).send(memory_stream)
    assert mapping.calls == 0
    file = left_behind(mapped)
    assert kept(file) == [(KEY, number, b"%d" % number * 200 * KIB) for number in range(5, 9)]
    file.close()


def test_a_mapped_file_is_locked_until_it_is_closed(mapped):
    mapped.append(KEY, lambda origin: b"x")
    assert OutboxFile.adopt(mapped.file.path, OsFiles()) is None
    mapped.close()
    file = OutboxFile.adopt(mapped.file.path, OsFiles())
    assert file is not None
    file.close()


def test_a_disk_that_fills_up_is_written_by_calls_until_it_has_room_again(
    mapped, mapping, clock, memory_stream, left_behind, kept
):
    def send_a_lot():
        for _ in range(6):
            mapped.append(KEY, lambda origin: b"x" * 200 * KIB)
            while OutboxSender(mapped.file, clock).send(memory_stream):
                pass
        mapped.reclaim()

    send_a_lot()
    assert mapping.calls == 0
    mapping.is_full = True
    send_a_lot()
    mapped.append(KEY, lambda origin: b"called")
    calls = mapping.calls
    assert calls > 0
    mapping.is_full = False
    mapped.append(KEY, lambda origin: b"mapped")
    assert mapping.calls == calls
    file = left_behind(mapped)
    assert [payload for _, _, payload in kept(file)] == [b"called", b"mapped"]
    file.close()


def test_what_was_not_synced_is_found_by_nobody_though_it_could_not_be_cut_off(home, mapping, left_behind, kept, clock):
    outbox = Outbox.create(home / "outbox", Settings(outbox_sync=True), clock, mapping)
    outbox.append(KEY, lambda origin: b"kept")

    def refuse(*_):
        raise OSError(EIO, "input/output error")

    mapping.datasync = mapping.truncate = refuse
    assert not outbox.append(KEY, lambda origin: b"dropped")
    file = left_behind(outbox)
    assert [payload for _, _, payload in kept(file)] == [b"kept"]
    file.close()


def test_what_waits_is_told_without_the_room_that_is_used_again(home, mapped, clock, memory_stream):
    for _ in range(4):
        mapped.append(KEY, lambda origin: b"x" * 200 * KIB)
    frame = layout.FRAME_HEAD + 200 * KIB
    assert [one["waiting_bytes"] for one in outboxes_below(home / "outbox")] == [4 * frame]
    while OutboxSender(mapped.file, clock).send(memory_stream):
        pass
    assert [one["waiting_bytes"] for one in outboxes_below(home / "outbox")] == [0]
    for size in (300, 100):
        mapped.append(KEY, lambda origin, size=size: b"y" * size * KIB)
        OutboxSender(mapped.file, clock).send(memory_stream)
    mapped.reclaim()
    mapped.append(KEY, lambda origin: b"one")
    assert [one["waiting_bytes"] for one in outboxes_below(home / "outbox")] == [layout.FRAME_HEAD + 3]
