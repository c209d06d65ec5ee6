"""Which models a function is to serve other than as it was deployed: one versioned row in the shared state."""

import msgspec

from leeway.compare_and_set import compare_and_set
from leeway.interfaces import State

_ROW = "repository/"


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


def row_of(state: State, function_uri: str) -> Row:
    found = state.get(_ROW + function_uri)
    return Row() if found is None else msgspec.json.decode(found, type=Row)


def change_row(state: State, function_uri: str, name: str, entry: Entry) -> Row:
    """Put one model's entry in force, with `change` set. Of two at a time both count, one after the other."""

    def make(before: bytes | None) -> tuple[bytes, Row]:
        known = Row() if before is None else msgspec.json.decode(before, type=Row)
        made = msgspec.structs.replace(entry, change=known.version + 1)
        row = Row(known.version + 1, {**known.models, name: made})
        return msgspec.json.encode(row), row

    return compare_and_set(state, _ROW + function_uri, make)
