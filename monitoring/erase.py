"""Takes what was recorded under some request ids out of what keeps it: the archive, the pending labels, the dead
letters. What comes later (from the stream, an outbox, or a writer that revives an old file) is taken out again.
"""

import json
from collections.abc import Collection, Iterable

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from leeway.errors import Conflict
from leeway.interfaces import Archive, State

from .dead_letters import DeadLetter
from .label_pieces import erased_pieces

COLUMNS = ("id", "request_id")
_LIST = "erased/"


class EraseList:
    """The ids that were ever erased, by stream key, in the shared state: they stay erased."""

    def __init__(self, shared: State):
        self._shared = shared

    def deployments(self) -> list[str]:
        """The stream keys of which something was erased."""
        return [key.removeprefix(_LIST) for key in self._shared.scan(_LIST)]

    def ids(self, key: str) -> frozenset[str]:
        """Those of one stream key."""
        return frozenset(msgspec.json.decode(self._shared.get(_LIST + key) or b"[]", type=list[str]))

    def add(self, key: str, ids: Iterable[str]) -> None:
        """From now on these are erased as well."""
        while True:
            stored = self._shared.get(_LIST + key)
            known = msgspec.json.decode(stored or b"[]", type=list[str])
            try:
                now = msgspec.json.encode(sorted({*known, *ids}))
                return self._shared.commit({_LIST + key: now}, expect={_LIST + key: stored})
            except Conflict:
                continue  # somebody else erases, too


def erase(archive: Archive, key: str, ids: Collection[str]) -> dict[str, int]:
    """Rewrite the files of a stream key without the rows of these ids, of any kind; how many rows went, by kind."""
    wanted = pa.array(sorted(ids), pa.string())
    erased: dict[str, int] = {}
    for file in archive.files():
        if file.deployment != key or not _holds(archive, file.kind, key, file.day, wanted):
            continue

        def without(table: pa.Table, kind: str = file.kind) -> pa.Table:
            left = without_ids(table, ids)
            erased[kind] = erased.get(kind, 0) + table.num_rows - left.num_rows
            return left

        archive.replace([file], file.name, without)
    return erased


def without_ids(table: pa.Table, ids: Collection[str]) -> pa.Table:
    """The rows of a table of the archive that are not of these ids."""
    return table.filter(pc.invert(_is_wanted(table, pa.array(sorted(ids), pa.string())))) if ids else table


def erase_pending(state: State, key: str, ids: Collection[str]) -> int:
    """Take ids out of the pending labels of one consumer; how many entries went. What a running consumer has not
    closed yet (its newest 64 entries) it writes again."""
    puts, erased = erased_pieces(state, key, frozenset(ids))
    if puts:
        state.commit(puts)
    return erased


def is_about(letter: DeadLetter, key: str, ids: Collection[str]) -> bool:
    """Whether a dead letter of a stream key holds one of these ids, as a word of its own."""
    words = {json.dumps(id, ensure_ascii=is_ascii).encode() for id in ids for is_ascii in (True, False)}
    return letter.key in (key, "") and any(word in letter.raw for word in words)


def _holds(archive: Archive, kind: str, key: str, day: str, wanted: pa.Array) -> bool:
    table = archive.read(kind, key, COLUMNS, [day])
    return bool(pc.any(_is_wanted(table, wanted)).as_py())


def _is_wanted(table: pa.Table, wanted: pa.Array) -> pa.Array:
    found = pa.array([False] * table.num_rows, pa.bool_())
    for name in COLUMNS:
        if name in table.column_names:
            column = table[name].cast(pa.string()).combine_chunks()
            found = pc.or_(found, pc.fill_null(pc.is_in(column, value_set=wanted), False))
    return found
