"""How many rows of a window are there more than once."""

from collections.abc import Iterable

import numpy as np

from .columns import Column

_MULTIPLIER = 0x9E3779B97F4A7C15


def duplicate_share(columns: Iterable[Column], rows: int) -> float:
    """The share of rows whose values all equal those of an earlier row, missing ones equal to each other; each column
    of shape (rows,). Rows are told apart by a hash of 64 bits."""
    mixed = np.zeros(rows, np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            mixed = (mixed ^ (mixed >> np.uint64(29)) ^ _hashes(column)) * np.uint64(_MULTIPLIER)
    return 1 - len(np.unique(mixed)) / rows if rows else 0.0


def _hashes(column: Column) -> np.ndarray:
    if isinstance(column, np.ndarray):
        values = column.astype(float)
        return (np.where(np.isnan(values), np.nan, values) + 0.0).view(np.uint64)
    return np.array([hash(value if value.__hash__ else str(value)) & (2**64 - 1) for value in column], np.uint64)
