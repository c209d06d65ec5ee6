"""A table as the bytes of one Parquet file of the archive, and back."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leeway.errors import StoreError
from leeway.interfaces import Within

from .row_groups import Footer, footer_of, row_groups

VERSION, _VERSION_KEY = 1, b"leeway.version"  # of what the columns mean; in each file's metadata
_LOOKED_AT = 64  # values of a column
_GROUP_ROWS = 16_384  # what a reader of few rows has to decode


def encode(table: pa.Table) -> pa.Buffer:
    """With the archive's version in its metadata. Dictionaries only where they pay: ids and measurements hardly repeat,
    and take a fifth more room with one."""
    sink = pa.BufferOutputStream()
    repeating = [name for name in table.column_names if _repeats(table[name].slice(0, _LOOKED_AT))]
    table = table.replace_schema_metadata({_VERSION_KEY: str(VERSION).encode()})
    pq.write_table(table, sink, compression="zstd", use_dictionary=repeating, row_group_size=_GROUP_ROWS)
    return sink.getvalue()


def _repeats(values: pa.ChunkedArray) -> bool:
    return pa.types.is_nested(values.type) or 2 * len(values.unique()) <= len(values)


def decode(
    source: Any,
    name: str,
    columns: Sequence[str] | None,
    where: Sequence[Within] = (),
    footer: Footer | None = None,
) -> pa.Table:
    """Those of the columns that are there, and the rows that meet `where`. StoreError, which holds `name`: no whole
    file, or of another version. A footer that is known spares reading it."""
    try:
        footer = footer or footer_of(source)
        version = footer.metadata.get(_VERSION_KEY)
        if version is None:
            raise StoreError(f"{name} has no version, so no Leeway wrote it: move it away")
        if version != str(VERSION).encode():
            raise StoreError(
                f"{name} has version {version.decode()}, this Leeway reads {VERSION}: use the Leeway that wrote it"
            )
        groups = row_groups(footer, where) if where else list(range(footer.about.num_row_groups))
        if where and not groups:
            return pa.table({})
        present = None if columns is None else [each for each in columns if each in footer.names]
        read = present and [*present, *(each.column for each in where if each.column not in present)]
        with pq.ParquetFile(source, metadata=footer.about) as file:
            table = file.read_row_groups(groups, read).replace_schema_metadata()
        return _meeting(table, where).select(present or table.column_names) if where else table
    except pa.ArrowInvalid as error:
        raise broken(name, error) from error


def broken(name: str, error: Exception) -> StoreError:
    """What is said of a file that is no whole one."""
    return StoreError(f"{name} is no whole Parquet file: {error}; Leeway writes none like that, move it away")


def _meeting(table: pa.Table, where: Sequence[Within]) -> pa.Table:
    """The rows that meet all of it."""
    masks = []
    for name, low, high in where:
        column = table.column(name)
        masks.append(pc.is_valid(column))
        if low is not None and low == high:
            masks.append(pc.equal(column, low))
            continue
        masks += [pc.greater_equal(column, low)] if low is not None else []
        masks += [pc.less_equal(column, high)] if high is not None else []
    return table.filter(reduce(pc.and_kleene, masks))
