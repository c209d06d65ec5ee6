"""A worker process as its supervisor sees it: started here, or found alive."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from leeway.errors import PlatformError

from .home import Home
from .launch import Launch
from .process import Process

_LIVENESS_S = 1.0
_HELLO_S = 5.0


@dataclass(frozen=True)
class WorkerRecord:
    """What is kept on disk about a worker: enough to find it again, and to know that it is still the same. It may take
    `grace_s` to end."""

    pid: int
    started: str
    socket: str
    generation: str
    trigger: str
    worker: int
    kind: str = "http"
    leaving: bool = False
    grace_s: float = 10.0

    @property
    def process(self) -> Process:
        return Process(self.pid, self.started, leads=self.kind == "processor")


class WorkerProcess:
    """`record` names it. The wire to it stays open as long as it lives: its end is the worker's end."""

    def __init__(
        self,
        record: WorkerRecord,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        child: subprocess.Popen | None,
        log: "LogTail",
    ):
        self.record, self.log = record, log
        self._reader, self._writer, self._child = reader, writer, child

    @classmethod
    async def start(
        cls,
        home: Home,
        launch: Launch,
        generation: str,
        kind: str,
        env: Mapping[str, str],
        listener: socket.socket | None,
    ) -> "WorkerProcess":
        """Start one; it loads the function and waits for `go`. The supervisor's working directory is the home."""
        name = f"{home.sockets.name}/{uuid4().hex[:12]}"
        log = LogTail.now(Path(launch.log))
        with socket.socket(socket.AF_UNIX) as wire:
            wire.bind(name)
            wire.listen(4)
            reader, writer = await asyncio.open_unix_connection(name)  # first: a worker without an owner ends
            fds = [wire.fileno()] + ([listener.fileno()] if listener is not None else [])
            child = _spawn(replace(launch, control=fds[0], listener=fds[1] if listener is not None else -1), env, fds)
        process = Process.of(child.pid) or Process(child.pid, "gone")
        record = WorkerRecord(child.pid, process.started, name, generation, launch.trigger, launch.worker, kind)
        return cls(record, reader, writer, child, log)

    @classmethod
    async def adopt(cls, record: WorkerRecord, log: Path) -> "WorkerProcess | None":
        """A worker that another supervisor started, if it lives and serves; one that does not answer is killed."""
        if not record.process.alive():
            return None
        try:
            reader, writer = await asyncio.open_unix_connection(record.socket)
            found = cls(record, reader, writer, None, LogTail.now(log))
            if await asyncio.wait_for(found._ask(b"hello\n"), _HELLO_S) == "serving":
                return found
        except (OSError, TimeoutError, PlatformError):
            pass
        record.process.send(signal.SIGKILL)
        return None

    async def ready(self, seconds: float) -> None:
        """Wait until the function is loaded; PlatformError with the worker's own reason where it cannot be."""
        try:
            await asyncio.wait_for(self._ask(b"hello\n"), seconds)
        except TimeoutError:
            raise PlatformError(f"not ready after {seconds:g} s; see {self.log.path}") from None

    async def go(self) -> None:
        """Let it serve; returns when it does."""
        await self._ask(b"go\n")

    async def gone(self) -> str:
        """Wait for its end; how it ended."""
        pause_s = 0.002
        while self.record.process.alive():
            with contextlib.suppress(TimeoutError, OSError):
                await asyncio.wait_for(self._reader.read(), _LIVENESS_S)
                await asyncio.sleep(pause_s := min(2 * pause_s, _LIVENESS_S))  # the wire's end comes just before
        self._writer.close()
        Path(self.record.socket).unlink(missing_ok=True)
        return self._ending()

    def leaving(self) -> None:
        """From now on it is not one of the function's any more."""
        self.record = replace(self.record, leaving=True)

    def terminate(self) -> None:
        """Drain, then end."""
        self.record.process.send(signal.SIGTERM)

    def kill(self) -> None:
        self.record.process.send(signal.SIGKILL)

    async def _ask(self, command: bytes) -> str:
        try:
            self._writer.write(command)
            line = await self._reader.readline()
        except OSError:
            line = b""
        if not line:
            raise PlatformError(await self.gone())
        said = json.loads(line)
        if said["phase"] == "failed":
            raise PlatformError(said["reason"])
        return said["phase"]

    def _ending(self) -> str:
        code = self._child.wait() if self._child is not None else None
        how = "ended" if code is None else f"ended by {signal.Signals(-code).name}" if code < 0 else f"exited {code}"
        lines = self.log.read().splitlines()
        said = f"; its log ends: {lines[-1].strip()}" if lines else ""
        return f"worker {self.record.trigger}-{self.record.worker} (pid {self.record.pid}) {how}{said}"


def receive_listener(path: str) -> socket.socket | None:
    """The listening socket of a living worker, over its control socket; None where it has none (any more).
    OSError where it does not answer."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(_HELLO_S)
        wire.connect(path)
        wire.sendall(b"socket\n")
        _, fds, _, _ = socket.recv_fds(wire, 1, 1)
        return socket.socket(fileno=fds[0]) if fds else None


@dataclass(frozen=True)
class LogTail:
    """What is written to a log from some moment on."""

    path: Path
    start: int

    @classmethod
    def now(cls, path: Path) -> "LogTail":
        return cls(path, path.stat().st_size if path.exists() else 0)

    def read(self, of_bytes: int = 8192) -> str:
        """The last `of_bytes` of it, without what is cut off in the first line."""
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                start = file.seek(max(self.start if self.start <= end else 0, end - of_bytes))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return (text if start == self.start else text.partition("\n")[2]).strip()


def _spawn(launch: Launch, env: Mapping[str, str], fds: list[int]) -> subprocess.Popen:
    log = Path(launch.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    command: list[Any] = [sys.executable, "-u", "-P", "-m", "leeway.local.worker", launch.argument()]
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=fd,
            stderr=fd,
            env=dict(env),
            cwd=launch.home,
            pass_fds=fds,
            start_new_session=True,
        )
    finally:
        os.close(fd)
