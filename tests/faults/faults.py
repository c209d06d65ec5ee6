"""Faults at every write, rename, lock and commit of one process, in the real parts."""

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EIO, ENOTSUP
from mmap import mmap
from pathlib import Path
from sqlite3 import Connection

from leeway import outbox_layout as layout
from leeway.backends.parquet_archive import ParquetArchive
from leeway.backends.sqlite_database import SqliteDatabase
from leeway.backends.sqlite_series import SqliteSeries
from leeway.backends.sqlite_state import SqliteState
from leeway.backends.sqlite_stream import SqliteStream
from leeway.clock import Clock
from leeway.files import OsFiles
from leeway.interfaces import Message, Stream

# What may happen at a point: nothing is done and an error raised; it is done, and an error raised (nobody heard of
# it); the process dies before it; after it.
REFUSE, UNHEARD, CRASH, CRASH_AFTER = KINDS = ("refuse", "unheard", "crash", "crash after")


class Crash(BaseException):
    """The process ends here."""


class Faults:
    """Of one process. `away` names what is down for everybody, shared by all processes."""

    def __init__(self, seed: int, away: set[str]):
        self.random, self.away = random.Random(seed), away
        self.is_dead, self.takes_some = False, False
        self._left, self._kind = -1, ""

    def arm(self, points: int, kind: str) -> None:
        """Let the point after `points` more of them fail."""
        self._left, self._kind = points, kind

    @contextmanager
    def point(self, target: str) -> Iterator[None]:
        """Around one operation."""
        kind = self.hit(target)
        if kind in (CRASH, REFUSE):
            self.fail(kind, target)
        yield
        self.fail(kind, target)

    def hit(self, target: str) -> str:
        """What is to happen now; "" for nothing."""
        if self.is_dead:
            raise Crash
        if target in self.away:
            return REFUSE
        self._left -= 1
        return self._kind if self._left == -1 else ""

    def fail(self, kind: str, target: str) -> None:
        if kind in (CRASH, CRASH_AFTER):
            self.is_dead = True
            raise Crash
        if kind:
            raise OSError(EIO, f"{target}: input/output error")


class FaultyFiles(OsFiles):
    """The files of one process, which are closed when it dies."""

    def __init__(self, faults: Faults, target: str):
        self._faults, self._target = faults, target
        self._fds: set[int] = set()
        self._maps: list[mmap] = []
        self.may_unlink = True

    def create(self, path: Path) -> int:
        with self._faults.point(self._target):
            return self._kept(OsFiles.create(self, path))

    def open(self, path: Path) -> int:
        with self._faults.point(self._target):
            return self._kept(OsFiles.open(self, path))

    def lock(self, fd: int) -> bool:
        with self._faults.point(self._target):
            return OsFiles.lock(self, fd)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:  # type: ignore[override]
        kind = self._faults.hit(self._target)
        is_in_place = offset < layout.DATA and len(data) <= layout.SLOT_BYTES
        if kind == REFUSE and is_in_place and not self._is_confirmation(data, offset):
            kind = ""  # room for it was there before
        if kind in (CRASH, REFUSE):
            some = 0 if is_in_place else self._faults.random.randrange(len(data) + 1)
            os.pwrite(fd, data[:some], offset)
            if kind == REFUSE and some:
                return some
            self._faults.fail(kind, self._target)
        written = os.pwrite(fd, data, offset)
        self._faults.fail(kind, self._target)
        return written

    def map(self, fd: int, size: int) -> "FaultyMap":  # type: ignore[override]
        """Of every other file: what is not mapped is written by calls, which fail in other ways."""
        if self._faults.random.random() < 0.5:
            raise OSError(ENOTSUP, "no mapping today")
        with self._faults.point(self._target):
            self._maps.append(OsFiles.map(self, fd, size))
        return FaultyMap(self._maps[-1], self._faults, self._target)

    def truncate(self, fd: int, size: int) -> None:  # type: ignore[override]
        with self._faults.point(self._target):
            os.ftruncate(fd, size)

    def datasync(self, fd: int) -> None:  # type: ignore[override]
        """The tests take the power away themselves, so nothing waits for the disk."""
        with self._faults.point(self._target):
            pass

    def rename(self, source: Path, target: Path) -> None:  # type: ignore[override]
        with self._faults.point(self._target):
            source.replace(target)

    def unlink(self, path: Path) -> None:  # type: ignore[override]
        if not self.may_unlink:
            self._faults.fail(CRASH, self._target)
        with self._faults.point(self._target):
            path.unlink()

    def close(self, fd: int) -> None:  # type: ignore[override]
        if not self._faults.is_dead:
            self._fds.discard(fd)
            os.close(fd)

    def release(self) -> None:
        """What the system does when a process ends."""
        for fd in self._fds:
            os.close(fd)
        for mapped in self._maps:  # each holds the file's lock
            mapped.close()
        self._fds.clear()
        self._maps.clear()

    def _is_confirmation(self, data: bytes, offset: int) -> bool:
        return offset == layout.PLACE or len(data) == len(layout.pack_number(0))

    def _kept(self, fd: int) -> int:
        self._fds.add(fd)
        return fd


class FaultyMap:
    """A mapped file: the process may die before, amid and after a write, which cannot be refused."""

    def __init__(self, mapped: mmap, faults: Faults, target: str):
        self._mapped, self._faults, self._target = mapped, faults, target

    def __setitem__(self, where: slice, data: bytes) -> None:
        kind = self._faults.hit(self._target)
        if kind == CRASH:
            some = self._faults.random.randrange(len(data) + 1)
            self._mapped[where.start : where.start + some] = data[:some]
            self._faults.fail(kind, self._target)
        self._mapped[where] = data
        if kind == CRASH_AFTER:
            self._faults.fail(kind, self._target)

    def close(self) -> None:
        if not self._faults.is_dead:
            self._mapped.close()


class FaultyDatabase(SqliteDatabase):
    """Faults when a transaction begins (the lock), and when it is committed."""

    def __init__(self, like: SqliteDatabase, faults: Faults, target: str):
        super().__init__(like.path, *like._migrations)
        self._faults, self._target = faults, target

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._translated(), self._faults.point(self._target):
            pass
        with super().reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._translated():
            with self._faults.point(self._target):
                pass
            with super().writing() as connection:
                yield connection
                kind = self._faults.hit(self._target)
                if kind in (CRASH, REFUSE):
                    self._faults.fail(kind, self._target)
            self._faults.fail(kind, self._target)


class FaultyStream(Stream):
    """May take some entries of an append, not just the first ones, and answer how many of the first ones it took."""

    def __init__(self, folder: Path, clock: Clock, faults: Faults):
        self._faults = faults
        self._stream = SqliteStream(folder, 1, clock)
        self._stream._files = [FaultyDatabase(file, faults, "stream") for file in self._stream._files]
        self.shards = 1

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        if not self._faults.takes_some:
            return self._stream.append(entries)
        self._faults.takes_some = False
        taken = [self._faults.random.random() < 0.5 for _ in entries]
        self._stream.append([entry for entry, was_taken in zip(entries, taken) if was_taken])
        return [*taken, False].index(False)

    def read(self, shard: int, offset: int, limit: int) -> list[Message]:
        return self._stream.read(shard, offset, limit)

    def bounds(self, shard: int) -> tuple[int, int]:
        return self._stream.bounds(shard)

    def commit(self, group: str, shard: int, offset: int) -> None:
        self._stream.commit(group, shard, offset)

    def committed(self, group: str, shard: int) -> int:
        return self._stream.committed(group, shard)

    def close(self) -> None:
        self._stream.close()


def faulty_state(path: Path, faults: Faults, target: str) -> SqliteState:
    state = SqliteState(path)
    state._file = FaultyDatabase(state._file, faults, target)
    return state


def faulty_series(path: Path, faults: Faults) -> SqliteSeries:
    series = SqliteSeries(path)
    series._file = FaultyDatabase(series._file, faults, "series")
    return series


def faulty_archive(folder: Path, faults: Faults) -> ParquetArchive:
    return ParquetArchive(folder, FaultyFiles(faults, "archive"))
