"""Rows of JSON to the matrix that a numeric model takes, or to the reason why that cannot be."""

import numpy as np

from serving.errors import BadRequest

# Beyond it a number overflows in single precision, which trees, among others, compute with.
LARGEST = float(np.finfo(np.float32).max)
_ENOUGH = LARGEST * LARGEST


class NumericRows:
    """Checks rows of numbers: `width` columns, finite, null only where `allows_missing`; `names` are for messages."""

    def __init__(self, width: int, allows_missing: bool, names: list[str] | None = None):
        self._width, self._allows_missing, self._names = width, allows_missing, names

    def matrix(self, rows: list) -> np.ndarray:
        """float64, shape (rows, width), missing values as NaN; BadRequest names the row and what it should be."""
        try:
            found = np.array(rows)
        except (ValueError, TypeError, OverflowError):  # rows of several lengths
            found = None
        if found is None or found.ndim != 2 or found.shape[1] != self._width or found.dtype.kind not in "fiub":
            return self._one_by_one(rows)
        matrix = found.astype(np.float64, copy=False)
        if not np.vdot(matrix, matrix) <= _ENOUGH:  # the sum of all squares: one call, where two look at each number
            return self._one_by_one(rows)
        return matrix

    def _one_by_one(self, rows: list) -> np.ndarray:
        """Where a value is missing, or wrong."""
        for i, row in enumerate(rows):
            if not isinstance(row, list):
                raise BadRequest(f"row {i} is {_shown(row)}; expected a list of {self._expected()}")
            if len(row) != self._width:
                raise BadRequest(f"row {i} has {len(row)} values; the model takes {self._expected()}")
        return np.array([[self._number(v, i, j) for j, v in enumerate(row)] for i, row in enumerate(rows)], np.float64)

    def _number(self, value: object, row: int, column: int) -> float:
        if value is None or value != value:
            if self._allows_missing:
                return np.nan
            raise BadRequest(f"row {row}, {self._name(column)} is null; this model takes no missing values: fill it in")
        if not isinstance(value, int | float):
            raise BadRequest(f"row {row}, {self._name(column)} is {_shown(value)}; expected a number")
        if not abs(value) <= LARGEST:
            raise BadRequest(f"row {row}, {self._name(column)} is {value!s:.20}; expected a number up to {LARGEST:.2g}")
        return float(value)

    def _expected(self) -> str:
        names = f" ({', '.join(self._names[:20])})" if self._names else ""
        return f"{self._width} numbers{names}"

    def _name(self, column: int) -> str:
        return f"column {column}" + (f" ({self._names[column]})" if self._names else "")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
