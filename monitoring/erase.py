"""Takes what was recorded under some request ids out of the archive."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from leeway.interfaces import Archive

_COLUMNS = ("id", "request_id")


def erase(archive: Archive, key: str, ids: Collection[str]) -> dict[str, int]:
    """Rewrite the files of a stream key without the rows of these ids, of any kind; how many rows went, by kind."""
    wanted = pa.array(sorted(ids), pa.string())
    erased: dict[str, int] = {}
    for file in archive.files():
        if file.deployment != key or not _holds(archive, file.kind, key, file.day, wanted):
            continue

        def without(table: pa.Table, kind: str = file.kind) -> pa.Table:
            left = table.filter(pc.invert(_is_wanted(table, wanted)))
            erased[kind] = erased.get(kind, 0) + table.num_rows - left.num_rows
            return left

        archive.replace([file], file.name, without)
    return erased


def _holds(archive: Archive, kind: str, key: str, day: str, wanted: pa.Array) -> bool:
    table = archive.read(kind, key, _COLUMNS, [day])
    return bool(pc.any(_is_wanted(table, wanted)).as_py())


def _is_wanted(table: pa.Table, wanted: pa.Array) -> pa.Array:
    found = pa.array([False] * table.num_rows)
    for name in _COLUMNS:
        if name in table.column_names:
            column = table[name].cast(pa.string()).combine_chunks()
            found = pc.or_(found, pc.fill_null(pc.is_in(column, value_set=wanted), False))
    return found
