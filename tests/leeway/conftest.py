"""Parts that fail on purpose, and child processes."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from leeway.clock import ManualClock
from leeway.errors import StoreError
from leeway.files import OsFiles
from leeway.interfaces import Message, Stream
from leeway.outbox import Outbox
from leeway.outbox_file import OutboxFile
from leeway.settings import Settings

_ROOT = Path(__file__).parents[2]
_CHILDREN = Path(__file__).parent / "children"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, outbox_limit_mb=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class MemoryStream(Stream):
    """Takes `takes` entries of each append (None: all), or fails while `is_away`; keeps what it took."""

    shards = 1

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []
        self.takes: int | None = None
        self.is_away = False

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        if self.is_away:
            raise StoreError("the stream is away")
        taken = list(entries)[: self.takes]
        self.kept += taken
        return len(taken)

    def read(self, shard: int, offset: int, limit: int) -> list[Message]:
        return [Message(0, i, 0, *entry) for i, entry in enumerate(self.kept)][offset : offset + limit]

    def bounds(self, shard: int) -> tuple[int, int]:
        return 0, len(self.kept)

    def commit(self, group: str, shard: int, offset: int) -> None:
        raise NotImplementedError

    def committed(self, group: str, shard: int) -> int:
        return 0


@pytest.fixture
def memory_stream() -> MemoryStream:
    return MemoryStream()


@pytest.fixture(scope="session")
def stream_type() -> type[MemoryStream]:
    return MemoryStream


class SmallDisk(OsFiles):
    """A disk on which files end at `room` bytes: a write across it is cut short, one behind it fails. It has no room to
    spare for mappings."""

    def __init__(self) -> None:
        self.room = 1 << 40

    def is_nearly_full(self, fd: int) -> bool:
        return True

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:  # type: ignore[override]
        if offset >= self.room:
            raise OSError(ENOSPC, "no space left on device")
        return OsFiles.pwrite(fd, data[: self.room - offset], offset)


@pytest.fixture
def small_disk() -> SmallDisk:
    return SmallDisk()


@pytest.fixture(scope="session")
def disk_type() -> type[SmallDisk]:
    return SmallDisk


@pytest.fixture(scope="session")
def left_behind() -> Callable[[Outbox], OutboxFile | None]:
    """The file of an outbox as its next owner finds it."""

    def leave(outbox: Outbox) -> OutboxFile | None:
        outbox.close()
        return OutboxFile.adopt(outbox.file.path, OsFiles())

    return leave


@pytest.fixture(scope="session")
def kept() -> Callable[[OutboxFile], list[tuple[str, int, bytes]]]:
    """What is left in a file, from the position on which it was forwarded: (key, number, payload)."""

    def read(file: OutboxFile) -> list[tuple[str, int, bytes]]:
        found = []
        while frames := file.read(100):
            found += [(file.slots[frame.slot].key, frame.number, frame.payload) for frame in frames]
            file.confirm(frames)
        return found

    return read


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a script of children/ in a process of its own; its lines come through stdout."""
    started: list[subprocess.Popen] = []

    def start(name: str, *arguments: Any) -> subprocess.Popen:
        command = [sys.executable, str(_CHILDREN / f"{name}.py"), *map(str, arguments)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={"PYTHONPATH": str(_ROOT)}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        with process:
            process.wait()
