"""Numbers that every worker of a function adds to in a file of its own, and that whichever is asked sums up."""

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import orjson

_MAGIC = b"leeway counts 2\n"
_BLOCK, _KEY, BLOCKS = 1024, 768, 512  # bytes of a block, of those for its key, blocks in a file
WIDTH = (_BLOCK - _KEY) // 8
_SUFFIX = ".counts"

Key = tuple[str, ...]


class Counts:
    """Blocks of WIDTH doubles, by key. A file outlives its worker: the next one goes on with it, so that sums never
    fall. There are as many as there were workers at a time, and a file that is more than half full is begun anew by
    its next worker, so that what is long gone does not stay. Where there is no disk for it, one worker's memory does.
    """

    def __init__(self, folder: Path | None):
        self._folder, self._fd, self._path = folder, -1, None
        self._blocks: dict[Key, memoryview] = {}
        self._map = self._mapped()
        self._view = memoryview(self._map)
        for key, i in _keys(self._view):
            self._blocks[key] = self._doubles(i)

    def block(self, key: Key) -> memoryview:
        """The doubles of a key, to be changed in place. What no longer fits is kept, but not shared."""
        found = self._blocks.get(key)
        if found is None:
            found = self._blocks[key] = self._created(key)
        return found

    def mine(self) -> list[tuple[Key, memoryview]]:
        """The blocks of this worker, those that it found in its file too."""
        return list(self._blocks.items())

    def sums(self, living: bool = False) -> dict[Key, list[float]]:
        """Over all workers that ever were, added by key; over the `living` for what says how much there is now."""
        found: dict[Key, list[float]] = {key: list(block) for key, block in self._blocks.items()}
        for view in self._others(living):
            for key, i in _keys(view):
                block = _doubles(view, i)
                mine = found.get(key)
                found[key] = list(block) if mine is None else [a + b for a, b in zip(mine, block)]
        return found

    def close(self) -> None:
        """Let the next worker have the file."""
        if self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)  # the mapping has a descriptor of its own, which would keep it
            os.close(self._fd)
            self._fd = -1

    def _mapped(self) -> mmap.mmap:
        size = len(_MAGIC) + _BLOCK * BLOCKS
        if self._folder is not None:
            with suppress(OSError):
                self._fd, self._path = _claimed(self._folder)
                if not _is_usable(self._fd, size):
                    os.ftruncate(self._fd, 0)
                    os.ftruncate(self._fd, size)
                    os.pwrite(self._fd, _MAGIC, 0)
                return mmap.mmap(self._fd, size)
        return mmap.mmap(-1, size)

    def _created(self, key: Key) -> memoryview:
        name, i = orjson.dumps(key), len(self._blocks)
        if i >= BLOCKS or len(name) > _KEY - 2:
            return memoryview(bytearray(WIDTH * 8)).cast("d")
        start = len(_MAGIC) + i * _BLOCK
        self._view[start + 2 : start + 2 + len(name)] = name
        self._view[start : start + 2] = len(name).to_bytes(2, "little")  # last: now it is there for readers
        return self._doubles(i)

    def _doubles(self, i: int) -> memoryview:
        return _doubles(self._view, i)

    def _others(self, living: bool) -> Iterator[memoryview]:
        if self._path is None or self._folder is None:
            return
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            if path == self._path or (living and not _is_held(path)):
                continue
            with suppress(OSError):
                data = path.read_bytes()
                if data.startswith(_MAGIC) and len(data) == len(self._view):
                    yield memoryview(data)


def _keys(view: memoryview) -> Iterator[tuple[Key, int]]:
    for i in range(BLOCKS):
        start = len(_MAGIC) + i * _BLOCK
        length = int.from_bytes(view[start : start + 2], "little")
        if not length:
            return
        yield tuple(orjson.loads(bytes(view[start + 2 : start + 2 + length]))), i


def _doubles(view: memoryview, i: int) -> memoryview:
    start = len(_MAGIC) + i * _BLOCK + _KEY
    return view[start : start + WIDTH * 8].cast("d")


def _claimed(folder: Path) -> tuple[int, Path]:
    """A file that no living worker has, locked; a new one where there is none."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in [*sorted(folder.glob(f"*{_SUFFIX}")), folder / f"{uuid4().hex}{_SUFFIX}"]:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd, path
        except BlockingIOError:
            os.close(fd)
    raise OSError("a new file is locked")


def _is_held(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(fd)


def _is_usable(fd: int, size: int) -> bool:
    if os.fstat(fd).st_size != size or os.pread(fd, len(_MAGIC), 0) != _MAGIC:
        return False
    half = len(_MAGIC) + BLOCKS // 2 * _BLOCK
    return os.pread(fd, 2, half) == b"\0\0"
