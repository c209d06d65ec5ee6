"""Which workers of a function live, and what they say of themselves in the shared state."""

import os
import socket
import time

import msgspec

from .interfaces import State

ALIVE_S = 15.0  # a worker that was silent for longer is gone
HOST = socket.gethostname()


class Worker(msgspec.Struct, frozen=True):
    """A worker, when it said so (epoch seconds), which version it follows of each thing that changes while it runs, and
    what failed in that."""

    name: str
    host: str
    pid: int
    seen: float
    versions: dict[str, int]
    failed: dict[str, str] = {}

    def is_alive(self, now: float) -> bool:
        """Where it runs here, its process says so."""
        if now - self.seen >= ALIVE_S:
            return False
        if self.host != HOST:
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it is there, and another user's
        return True


def tell(state: State, group: str, function_uri: str, worker: Worker) -> None:
    """Say which worker this is, among those of a function (project/function) that follow the same: their `group`."""
    state.commit({_key(group, function_uri) + worker.name: msgspec.json.encode(worker)})


def leave(state: State, group: str, function_uri: str, name: str) -> None:
    """Say that a worker is gone."""
    state.commit(deletes=[_key(group, function_uri) + name])


def living(state: State, group: str, function_uri: str, now: float | None = None) -> list[Worker]:
    """Those that live, by name. `now` is in epoch seconds."""
    now = time.time() if now is None else now
    told = state.scan(_key(group, function_uri)).values()
    return [each for each in (msgspec.json.decode(value, type=Worker) for value in told) if each.is_alive(now)]


def _key(group: str, function_uri: str) -> str:
    return f"worker/{group}/{function_uri}/"
