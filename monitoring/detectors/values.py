"""Column values as detectors see them: numbers, or categories named by text."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

NUMBER, TEXT = "number", "text"
_PLAIN = {float, bool, type(None)}


def category(value: Any) -> str | None:
    """The name of a value as a category; None for a missing one.

    Numbers that are equal have one name, whatever their type: True, 1 and 1.0 are "1".
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float, np.bool_, np.number)):
        number = float(value)
        return format(number, ".15g") if math.isfinite(number) else None
    return None if value is None else str(value)


def type_of(value: Any) -> str | None:
    """NUMBER (booleans too), TEXT for anything else, None for a missing value."""
    if isinstance(value, (bool, int, float, np.bool_, np.number)):
        return NUMBER if math.isfinite(value) else None
    return None if category(value) is None else TEXT


def numbers_of(column: np.ndarray | list) -> np.ndarray:
    """A column as floats, shape (n,); NaN where there is no finite number."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
        return column.astype(float, copy=False)
    if _are_plain(column):
        return np.array(column, dtype=float)
    return np.array([float(value) if type_of(value) is NUMBER else math.nan for value in column], dtype=float)


def counted(column: np.ndarray | list) -> tuple[dict[str, int], dict[str, int]]:
    """How often each category occurs in a column, and how often each value type."""
    categories: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for value, n in _occurrences(column):
        if (name := category(value)) is not None:
            categories[name] += n
            types[type_of(value)] += n
    return dict(categories), dict(types)


def _are_plain(column: np.ndarray | list) -> bool:
    """Whether all are floats, booleans or None, the values that numpy takes as numbers as they are."""
    return set(map(type, column)) <= _PLAIN


def _occurrences(column: np.ndarray | list) -> Iterable[tuple[Any, int]]:
    if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
        values, counts = np.unique(column, return_counts=True)
        return zip(values.tolist(), counts.tolist())
    try:
        return Counter(column).items()
    except TypeError:  # a value that cannot be hashed: a nested list
        return Counter(map(category, column)).items()


def other_types(column: np.ndarray | list) -> int:
    """How many values of a column are neither numbers nor missing."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
        return 0
    return 0 if _are_plain(column) else sum(type_of(value) is TEXT for value in column)
