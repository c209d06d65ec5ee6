"""A server of the tests: a child process on a free port of the loopback, stopped by its process id."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / "build" / "engines"
_START_S, _STOP_S = 180.0, 30.0


class Server(ABC):
    """Keeps its data and its port over `stop`, `kill` and `start`. `missing` says why it cannot run on this machine."""

    name: str
    user: str | None = None

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"leeway-{self.name}-"))
        self.port = free_port()
        self._process: subprocess.Popen | None = None

    @classmethod
    @abstractmethod
    def missing(cls) -> str:
        """Empty where it can be started."""

    @abstractmethod
    def prepare(self) -> None:
        """Make its data folder, where that has to be done."""

    @abstractmethod
    def command(self) -> list[str]:
        """What is run, in the server's folder."""

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        if not (self.folder / "log").exists():
            self.prepare()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self.user,
                group=self.user, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _START_S
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                tail = (self.folder / "log").read_text(errors="replace")[-3_000:]
                raise RuntimeError(f"{self.name} does not start: {tail}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait for that."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.stop(signal.SIGKILL)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str) -> None:
        """Run a tool of the server's to its end."""
        done = subprocess.run(
            command, cwd=self.folder, user=self.user, group=self.user, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: {done.stdout[-3_000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
