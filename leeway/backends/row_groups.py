"""Which parts of a Parquet file can hold a row that is asked for, by what its footer says of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from leeway.interfaces import Within


class Footer(NamedTuple):
    """What the end of a file says of it: the `names` of its columns, and where each that has values and is not nested
    stands among `leaves`, the columns that a file really has."""

    about: pq.FileMetaData
    metadata: Mapping[bytes, bytes]
    names: frozenset[str]
    leaves: Mapping[str, int]


def footer_of(source: Any) -> Footer:
    """Of a path or an open file; pa.ArrowInvalid where it is no whole one."""
    about = pq.read_metadata(source)
    schema = about.schema.to_arrow_schema()
    empty = {field.name for field in schema if pa.types.is_null(field.type)}
    paths = {about.schema.column(i).path: i for i in range(about.num_columns)}
    leaves = {name: i for name, i in paths.items() if name in schema.names and name not in empty}
    return Footer(about, schema.metadata or {}, frozenset(schema.names), leaves)


def row_groups(footer: Footer, where: Sequence[Within]) -> list[int]:
    """Their numbers; none where the file lacks a column, or has nothing in it."""
    if any(each.column not in footer.leaves for each in where):
        return []
    found = [(footer.leaves[each.column], each) for each in where]
    groups = (footer.about.row_group(i) for i in range(footer.about.num_row_groups))
    return [i for i, group in enumerate(groups) if all(_may_hold(group, leaf, each) for leaf, each in found)]


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
