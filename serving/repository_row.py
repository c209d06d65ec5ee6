"""Which models a function is to serve other than as it was deployed: one versioned row in the shared state, and what
its workers say of themselves there."""

import os
import socket
import time

import msgspec

from leeway.errors import Conflict
from leeway.interfaces import State

_ROW, _WORKER = "repository/", "repository-worker/"
ALIVE_S = 15.0  # a worker that was silent for longer is gone
HOST = socket.gethostname()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one model. It counts as long as the model is deployed from the address `declared`. `uri` is where
    it comes from now, `sha256` the hash that it has to have, `change` the version of the row that brought it."""

    declared: str
    change: int
    is_loaded: bool = True
    uri: str = ""
    sha256: str = ""
    version: str = ""


class Row(msgspec.Struct, frozen=True):
    """`version` counts changes."""

    version: int = 0
    models: dict[str, Entry] = {}


class Worker(msgspec.Struct, frozen=True):
    """A worker, which version of the row it follows, what failed in that, and when it said so (epoch seconds)."""

    name: str
    host: str
    pid: int
    seen: float
    version: int
    failed: dict[str, str] = {}

    def is_alive(self, now: float) -> bool:
        """Where it runs here, its process says so."""
        if now - self.seen > ALIVE_S:
            return False
        if self.host != HOST:
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def row_of(state: State, function_uri: str) -> Row:
    found = state.get(_ROW + function_uri)
    return Row() if found is None else msgspec.json.decode(found, type=Row)


def change_row(state: State, function_uri: str, name: str, entry: Entry) -> Row:
    """Put one model's entry in force, with `change` set. Of two at a time both count, one after the other."""
    while True:
        raw = state.get(_ROW + function_uri)
        known = Row() if raw is None else msgspec.json.decode(raw, type=Row)
        made = msgspec.structs.replace(entry, change=known.version + 1)
        row = Row(known.version + 1, {**known.models, name: made})
        try:
            state.commit({_ROW + function_uri: msgspec.json.encode(row)}, expect={_ROW + function_uri: raw})
            return row
        except Conflict:
            continue


def tell(state: State, function_uri: str, worker: Worker) -> None:
    state.commit({f"{_WORKER}{function_uri}/{worker.name}": msgspec.json.encode(worker)})


def leave(state: State, function_uri: str, name: str) -> None:
    state.commit(deletes=[f"{_WORKER}{function_uri}/{name}"])


def living(state: State, function_uri: str) -> list[Worker]:
    now = time.time()
    found = (msgspec.json.decode(value, type=Worker) for value in state.scan(f"{_WORKER}{function_uri}/").values())
    return [each for each in found if each.is_alive(now)]
