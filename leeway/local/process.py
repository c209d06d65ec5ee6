"""A process that can be named for ever: its id and when it started."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_POLL_S = 0.02
_HURRY_S = 0.5


@dataclass(frozen=True)
class Process:
    """One process. `started` tells it from a later one that got the same id (and the machine's boots apart).
    `leads` says that it leads a process group, which ends with it: SIGKILL goes to all of it."""

    pid: int
    started: str
    leads: bool = field(default=False, compare=False)

    @classmethod
    def current(cls) -> "Process":
        return cls.of(os.getpid()) or cls(os.getpid(), "")

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """The living process with this id; None where there is none, or only a zombie."""
        started = _started_linux(pid) if sys.platform == "linux" else _started_psutil(pid)
        return cls(pid, started) if started else None

    def alive(self) -> bool:
        """Whether it runs. A zombie counts as dead."""
        return Process.of(self.pid) == self

    def send(self, number: int) -> None:
        """Send a signal; nothing happens where it is gone already."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if self.leads and number == signal.SIGKILL else os.kill)(self.pid, number)

    def sweep(self) -> None:
        """Just after its end: end what it left of its group."""
        if self.leads and not self.alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def stop(processes: Iterable[Process], grace_s: float) -> list[Process]:
    """End processes: SIGTERM, a second one after half a second (no more waiting for idle connections), SIGKILL after
    `grace_s`. Returns those that had to be killed, when all are gone."""
    left = living = _signalled(processes, signal.SIGTERM)
    left = _signalled(_wait(left, min(_HURRY_S, grace_s)), signal.SIGTERM)
    left = _signalled(_wait(left, grace_s - _HURRY_S), signal.SIGKILL)
    _wait(left, 5.0)
    for process in living:
        process.sweep()
    return left


def _signalled(processes: Iterable[Process], number: int) -> list[Process]:
    living = [process for process in processes if process.alive()]
    for process in living:
        process.send(number)
    return living


def _wait(processes: list[Process], seconds: float) -> list[Process]:
    """Wait until they are gone, at most `seconds`; those that are left."""
    end = time.monotonic() + seconds
    while (left := [process for process in processes if process.alive()]) and time.monotonic() < end:
        time.sleep(_POLL_S)
    return left


def _started_linux(pid: int) -> str:
    """proc(5): the state is the first field after the name in parentheses, starttime the twentieth."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in b"ZXx" else f"{boot}-{fields[19].decode()}"


def _started_psutil(pid: int) -> str:
    import psutil  # costs 50 ms, and Linux does not need it

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.6f}"
    except psutil.Error:
        return ""
