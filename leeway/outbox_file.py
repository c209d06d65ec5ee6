"""The file of one outbox: opening it, and reading and writing its parts."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from errno import ENOSPC
from mmap import mmap
from pathlib import Path
from typing import Self

from . import outbox_layout as layout
from .files import Files
from .outbox_layout import DATA, FRAME_HEAD, Frame, pack_frame
from .private_folder import private_folder

SUFFIX = ".outbox"
_PIECE = 1 << 20
KEPT = 4 << 20  # bytes of a file that are not given back


@dataclass
class Slot:
    """What is known of one stream key: the last number used, and the drops by reason (replaced, never changed)."""

    index: int
    key: str
    last: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


class OutboxFile:
    """One locked file. `end` is the position after the last whole frame, `sent` the one up to which everything was
    forwarded. One thread may write frames while another reads and confirms them; `reclaim` excludes both.

    Frames are written into a mapping of the file, which costs a sixth of a system call (.2 instead of 1.2 us for 730
    bytes); and by system calls where the disk is nearly full or cannot be mapped.
    """

    def __init__(self, path: Path, fd: int, files: Files, identity: bytes, base: int, sent: int):
        self.path, self.id = path, identity.hex()
        self.base, self.sent, self.end = base, sent, sent
        self.written = self.confirmed = 0
        self.slots: list[Slot] = []
        self._is_own = self._is_placed = True
        self._fd, self._files = fd, files
        self._map: mmap | None = None
        self._mapped = 0  # bytes of the file

    @classmethod
    def create(cls, folder: Path, identity: bytes, created_us: int, files: Files) -> Self:
        """A new one, all of its header written out. It gets its name when it is locked and whole, so that nobody
        adopts it before. OSError where that fails.
        """
        path = private_folder(folder) / f"{identity.hex()}{SUFFIX}"
        hidden = path.with_name(f".{path.name}.new")
        fd = files.create(hidden)
        try:
            files.lock(fd)
            _write(files, fd, layout.pack_head(identity, created_us).ljust(DATA, b"\0"), 0)
            files.rename(hidden, path)
        except BaseException:
            files.close(fd)
            files.unlink(hidden)
            raise
        return cls(path, fd, files, identity, 0, 0)

    @classmethod
    def adopt(cls, path: Path, files: Files) -> Self | None:
        """The file of an outbox whose process is gone; None where it lives, or the file is gone meanwhile.
        StoreError where it is of another version, or none.
        """
        try:
            fd = files.open(path)
        except FileNotFoundError:
            return None
        try:
            if files.lock(fd) and files.is_at(fd, path):
                return cls._opened(path, fd, files)
        except BaseException:
            files.close(fd)
            raise
        files.close(fd)
        return None

    @classmethod
    def _opened(cls, path: Path, fd: int, files: Files) -> Self:
        data = files.pread(fd, DATA, 0)
        head = layout.unpack_head(data)
        file = cls(path, fd, files, head.id, head.base, head.sent)
        file._is_own = False
        file.slots = [Slot(index, *found) for index, found in enumerate(layout.unpack_slots(data))]
        file.end = max(head.sent, head.base + files.size(fd) - DATA)
        return file

    def add_slot(self, key: str) -> Slot:
        """A slot for a key; ValueError where no more fit or the key is too long, OSError where it is not written."""
        index = len(self.slots)
        if index == layout.SLOTS:
            raise ValueError(f"an outbox keeps {layout.SLOTS} stream keys")
        _write(self._files, self._fd, layout.pack_slot(key), layout.slot_offset(index))
        slot = Slot(index, key)
        self.slots.append(slot)
        return slot

    def write(self, slot: Slot, payload: bytes, sync: bool) -> None:
        """Write the next record of a slot at the end. OSError: it is not there, and the file ends cleanly."""
        if not self._is_placed:
            self._place(self.base)
        position, number = self.end, slot.last + 1
        frame = pack_frame(position, slot.index, number, payload)
        at = DATA + position - self.base
        stop = at + len(frame)
        try:
            if stop > self._mapped:
                self._map_more(stop)
            if stop <= self._mapped:
                self._map[at:stop] = frame
            else:
                _write(self._files, self._fd, frame, at)
            if sync:
                self._files.datasync(self._fd)
        except BaseException:
            if stop <= self._mapped:  # it may lie there whole, and where cutting it off fails it must not pass for one
                self._map[at : at + FRAME_HEAD] = bytes(FRAME_HEAD)
            self._cut(at)
            raise
        slot.last = number
        self.written += 1
        self.end = position + len(frame)

    def write_dropped(self, slot: Slot, reason: str, count: int = 1) -> None:
        """Count drops, in the header too; OSError where that failed, the count in memory holds."""
        reason = reason.encode()[: layout.REASON_BYTES].decode(errors="ignore")
        if reason not in slot.dropped and len(slot.dropped) >= layout.REASONS - 1:
            reason = "other"
        slot.dropped = {**slot.dropped, reason: slot.dropped.get(reason, 0) + count}
        at = layout.counter_offset(slot.index, list(slot.dropped).index(reason))
        _write(self._files, self._fd, layout.pack_counter(reason, slot.dropped[reason]), at)

    def read(self, limit: int) -> list[Frame]:
        """Whole frames that were not confirmed, about `limit` bytes of them, at least one; [] at the end. What cannot
        be read (torn, or the disk lost it) is passed over up to the end: a gap in the numbers.
        """
        position, end, written = self.sent, self.end, self.written
        at = DATA + position - self.base
        data = self._files.pread(self._fd, min(limit, end - position), at)
        if len(data) >= layout.FRAME_HEAD and len(data) < (size := layout.frame_size(data)) <= end - position:
            data = self._files.pread(self._fd, size, at)
        found = layout.unpack_frames(data, position, len(self.slots), self._is_own)
        if not found and position < end:
            self.sent, self.confirmed = end, written
            self._place(self.base)
        return found

    def confirm(self, frames: Sequence[Frame]) -> None:
        """Everything up to the last of these frames was forwarded. Their numbers are written before the position."""
        self.sent = frames[-1].end
        self.confirmed += len(frames)
        for index, number in {frame.slot: frame.number for frame in frames}.items():
            _write(self._files, self._fd, layout.pack_number(number), layout.slot_offset(index))
            if number > self.slots[index].last:  # only where the file was adopted
                self.slots[index].last = number
        self._place(self.base)

    def reclaim(self, sync: bool) -> None:
        """Use the room of what was forwarded again: what was not moves to the front, which must have room for it. What
        lies behind it then is of other positions, so that its checksums tell that it is no frame."""
        waiting, source = self.end - self.sent, DATA + self.sent - self.base
        for at in range(0, waiting, _PIECE):
            piece = self._files.pread(self._fd, min(_PIECE, waiting - at), source + at)
            _write(self._files, self._fd, piece, DATA + at)
        if sync:
            self._files.datasync(self._fd)
        self._is_placed = False
        self._place(self.sent)
        if self._map is not None and self._files.is_nearly_full(self._fd):
            self._unmap()
        if source + waiting > KEPT:  # what is written over, again and again, costs less than what grows anew
            self._cut(DATA + waiting)

    def delete(self) -> None:
        """Remove the file and close it."""
        with suppress(FileNotFoundError):
            self._files.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Release the lock; what is left can be adopted. Closing twice is closing once."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._unmap()
            self._files.close(fd)

    def _place(self, base: int) -> None:
        """Write where frames begin. What failed may stand in the file all the same: so where that was another base than
        the one that frames are written by, the right one is to be written before the next of them."""
        _write(self._files, self._fd, layout.pack_place(base, self.sent), layout.PLACE)
        self.base, self._is_placed = base, True

    def _map_more(self, size: int) -> None:
        """Map the file up to `size`, and some more; where that fails, nothing of it is mapped."""
        self._unmap()
        with suppress(OSError):
            wanted = size + -size % _PIECE
            self._map = self._files.map(self._fd, wanted)
            self._mapped = wanted

    def _unmap(self) -> None:
        mapped, self._map, self._mapped = self._map, None, 0
        if mapped is not None:
            mapped.close()

    def _cut(self, size: int) -> None:
        self._unmap()  # what is cut off must not be touched any more
        # Where it fails, the next frame overwrites what is left, and the checksum tells what remains of it.
        with suppress(OSError):
            self._files.truncate(self._fd, size)


def _write(files: Files, fd: int, data: bytes, offset: int) -> None:
    if files.pwrite(fd, data, offset) != len(data):
        raise OSError(ENOSPC, "no space left for the whole of it")
