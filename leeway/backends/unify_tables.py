"""Tables of one kind whose columns differ, as one table in the order of their positions."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

POSITION = ("shard", "offset", "index", "row")


def unify_tables(tables: Sequence[pa.Table], is_one_stream: bool = True) -> pa.Table:
    """All rows in one table, by shard, offset, index and row as far as those columns are there; where all four are,
    the second of two rows with one position is dropped, unless they may be of different streams.

    A column that a table lacks is null there. Types: null gives way to anything, whole numbers to floats; where they
    do not agree otherwise, both become text (JSON of numbers and of what is nested). Columns keep the order of their
    appearance.
    """
    schema = pa.schema([pa.field(name, _common(types)) for name, types in _types(tables).items()])
    whole = pa.concat_tables([_cast(table, schema) for table in tables]) if tables else pa.table({})
    return _in_order(whole, is_one_stream)


def _types(tables: Sequence[pa.Table]) -> dict[str, list[pa.DataType]]:
    found: dict[str, list[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            types = found.setdefault(field.name, [])
            if field.type not in types:
                types.append(field.type)
    return found


def _common(types: Sequence[pa.DataType]) -> pa.DataType:
    schemas = [pa.schema([pa.field("column", each)]) for each in types]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.string()


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        _column(table.column(field.name), field.type) if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=schema)


def _column(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if column.type == wanted:
        return column
    if pa.types.is_string(wanted) and (pa.types.is_nested(column.type) or pa.types.is_floating(column.type)):
        values = column.to_pylist()
        return pa.array([None if each is None else msgspec.json.encode(each).decode() for each in values], wanted)
    return column.cast(wanted, safe=False)


def _in_order(table: pa.Table, is_one_stream: bool) -> pa.Table:
    names = [name for name in POSITION if name in table.column_names]
    if not names or table.num_rows < 2:
        return table
    keys = [table.column(name).cast(pa.int64()).fill_null(-1).to_numpy() for name in names]
    order = np.lexsort(keys[::-1])
    if len(names) == len(POSITION) and is_one_stream:
        order = order[_first_of_equals([key[order] for key in keys])]
    if len(order) == table.num_rows and (order[1:] > order[:-1]).all():
        return table
    return table.take(pa.array(order))


def _first_of_equals(keys: list[np.ndarray]) -> np.ndarray:
    """Which rows of sorted keys differ from the one before."""
    differs = np.zeros(len(keys[0]), dtype=bool)
    differs[0] = True
    for key in keys:
        differs[1:] |= key[1:] != key[:-1]
    return differs
