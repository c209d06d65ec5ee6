"""A table as the bytes of one Parquet file of the archive, and back."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leeway.errors import StoreError

VERSION, _VERSION_KEY = 1, b"leeway.version"  # of what the columns mean; in each file's metadata
_LOOKED_AT = 64  # values of a column


def encode(table: pa.Table) -> pa.Buffer:
    """With the archive's version in its metadata. Dictionaries only where they pay: ids and measurements hardly repeat,
    and take a fifth more room with one."""
    sink = pa.BufferOutputStream()
    repeating = [name for name in table.column_names if _repeats(table[name].slice(0, _LOOKED_AT))]
    table = table.replace_schema_metadata({_VERSION_KEY: str(VERSION).encode()})
    pq.write_table(table, sink, compression="zstd", use_dictionary=repeating)
    return sink.getvalue()


def _repeats(values: pa.ChunkedArray) -> bool:
    return pa.types.is_nested(values.type) or 2 * len(values.unique()) <= len(values)


def decode(source: Any, name: str, columns: Sequence[str] | None) -> pa.Table:
    """Those of the columns that are there. StoreError, which holds `name`: no whole file, or of another version."""
    try:
        with pq.ParquetFile(source) as file:
            version = (file.schema_arrow.metadata or {}).get(_VERSION_KEY)
            if version is None:
                raise StoreError(f"{name} has no version, so no Leeway wrote it: move it away")
            if version != str(VERSION).encode():
                raise StoreError(
                    f"{name} has version {version.decode()}, this Leeway reads {VERSION}: use the Leeway that wrote it"
                )
            present = None if columns is None else [each for each in columns if each in file.schema_arrow.names]
            return file.read(present).replace_schema_metadata()
    except pa.ArrowInvalid as error:
        raise broken(name, error) from error


def broken(name: str, error: Exception) -> StoreError:
    """What is said of a file that is no whole one."""
    return StoreError(f"{name} is no whole Parquet file: {error}; Leeway writes none like that, move it away")
