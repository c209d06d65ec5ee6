"""Rows of JSON values as columns, in one form that does not depend on which rows came together.

A value is numeric (int, float, bool, or a missing None) or anything else. A column of numeric values is a float array
with NaN for missing; any other column is a list in which numbers are floats, missing is None, and a nested value is its
JSON text. So a value looks the same whatever its neighbours were, and columns can be cut and joined freely.
"""

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

Column = np.ndarray | list
Columns = dict[str, Column]

_NUMERIC = {int, float, bool, type(None)}


def column_of(values: Sequence[Any]) -> Column:
    """One column from raw values, shape (n,)."""
    if set(map(type, values)) <= _NUMERIC:
        try:
            return np.array(values, dtype=float)
        except OverflowError:  # an integer beyond the largest float
            return np.array([_plain(value) for value in values], dtype=float)
    return [_plain(value) for value in values]


def columns_of(rows: Sequence[Any], names: Sequence[str]) -> Columns:
    """Columns by name from rows, shape (n, len(names)); a row is a list, a dict by name, or one bare value.

    Values beyond the names get names by their place (f0, f1, ...); what a row does not have is missing.
    """
    if not names or set(map(type, rows)) != {list} or set(map(len, rows)) != {len(names)}:
        return gather([named(row, names) for row in rows])
    table = table_of(rows)
    return dict(zip(names, map(column_of, zip(*rows)))) if table is None else named_table(table, names)


def table_of(rows: Sequence[Any]) -> np.ndarray | None:
    """Rows of as many numbers each, shape (n, width); None where one is no list, has text, or misses a value."""
    if set(map(type, rows)) != {list} or len(widths := set(map(len, rows))) != 1 or not (width := widths.pop()):
        return None
    try:
        flat = array("d", chain.from_iterable(rows))
    except (TypeError, OverflowError):  # text, a missing or a nested value, an integer beyond the largest float
        return None
    return np.frombuffer(flat).reshape(len(rows), width)


def named_table(table: np.ndarray, names: Sequence[str]) -> Columns:
    """Numbers by column name, shape (n, width)."""
    extra = [f"f{i}" for i in range(len(names), table.shape[1])]
    return dict(zip([*names, *extra], table.T.copy()))


def named(row: Any, names: Sequence[str]) -> dict[str, Any]:
    """One row as a dict by column name."""
    if isinstance(row, dict):
        return row
    values = row if isinstance(row, list) else [row]
    return {(names[i] if i < len(names) else f"f{i}"): value for i, value in enumerate(values)}


def gather(rows: Sequence[dict[str, Any]]) -> Columns:
    """Columns from rows by name, in the order in which the names first appear."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: column_of([row.get(name) for row in rows]) for name in names}


def join(parts: Sequence[tuple[Columns, int]]) -> Columns:
    """Columns one below the other; each part comes with its number of rows."""
    if len(parts) == 1:
        return parts[0][0]
    names = dict.fromkeys(name for columns, _ in parts for name in columns)
    return {name: _join([(columns.get(name), n) for columns, n in parts]) for name in names}


def cut(columns: Columns, start: int, stop: int) -> Columns:
    """The rows from `start` up to `stop`."""
    return {name: column[start:stop] for name, column in columns.items()}


def take(columns: Columns, rows: np.ndarray) -> Columns:
    """The rows with these indices, shape (k,)."""
    return {
        name: column[rows] if isinstance(column, np.ndarray) else [column[i] for i in rows]
        for name, column in columns.items()
    }


def _join(parts: Sequence[tuple[Column | None, int]]) -> Column:
    filled = [np.full(n, np.nan) if part is None else part for part, n in parts]
    if all(isinstance(part, np.ndarray) for part in filled):
        return np.concatenate(filled)
    return [value for part in filled for value in (_listed(part) if isinstance(part, np.ndarray) else part)]


def _listed(column: np.ndarray) -> list[Any]:
    return [None if value != value else value for value in column.tolist()]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return _finite_or_missing(value)
    return msgspec.json.encode(value).decode()


def _finite_or_missing(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return None if number != number else number
