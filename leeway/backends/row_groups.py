"""Which parts of a Parquet file can hold a row that is asked for, by what its footer says of them."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leeway.interfaces import Within


def row_groups(footer: pq.FileMetaData, schema: pa.Schema, where: Sequence[Within]) -> list[int]:
    """Their numbers; none where the file lacks a column, or has nothing in it."""
    if any(each.column not in schema.names or pa.types.is_null(schema.field(each.column).type) for each in where):
        return []
    found = [(_leaf(footer, each.column), each) for each in where]
    groups = (footer.row_group(i) for i in range(footer.num_row_groups))
    return [i for i, group in enumerate(groups) if all(_may_hold(group, leaf, each) for leaf, each in found)]


def _leaf(footer: pq.FileMetaData, name: str) -> int:
    """The number of a column among those that a file really has, in which nested ones may be several."""
    return next(i for i in range(footer.num_columns) if footer.schema.column(i).path == name)


def _may_hold(group: pq.RowGroupMetaData, leaf: int, wanted: Within) -> bool:
    known = group.column(leaf).statistics
    if known is None:
        return True
    if known.has_null_count and known.null_count == group.num_rows:
        return False
    if not known.has_min_max:
        return True
    return not (_below(known.max, wanted.low) or _below(wanted.high, known.min))


def _below(one: Any, other: Any) -> bool:
    return one is not None and other is not None and one < other
