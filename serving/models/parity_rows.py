"""Rows to compare two forms of a model on: ordinary ones, and those where rounding shows."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

ORDINARY, AT_THRESHOLDS, PAIRS = 1_000, 4_000, 200
_HALVINGS = 60


class ParityRows:
    """Draws rows of `width` columns. `marginals` are values of each column as the model was trained on (None where
    they are not known), `thresholds` the values at which its trees part, by column."""

    def __init__(
        self,
        width: int,
        marginals: Sequence[np.ndarray] | None,
        thresholds: Mapping[int, np.ndarray],
        seed: int = 0,
    ):
        self._width, self._random = width, np.random.default_rng(seed)
        self._thresholds = thresholds
        self._columns = [self._column(j, marginals) for j in range(width)]

    def ordinary(self, count: int = ORDINARY) -> np.ndarray:
        """Each column drawn by itself, shape (count, width)."""
        return np.column_stack([self._random.choice(values, count) for values in self._columns])

    def at_thresholds(self, count: int = AT_THRESHOLDS) -> np.ndarray:
        """Half of the values on a threshold, or next to one in double or in single precision."""
        rows = self.ordinary(count)
        for column, values in self._thresholds.items():
            chosen = np.flatnonzero(self._random.random(count) < 0.5)
            rows[chosen, column] = self._beside(self._random.choice(values, len(chosen)))
        return rows

    def with_missing(self, rows: np.ndarray, share: float = 0.1) -> np.ndarray:
        return np.where(self._random.random(rows.shape) < share, np.nan, rows)

    def at_boundary(self, labels: Callable[[np.ndarray], list], count: int = PAIRS) -> np.ndarray:
        """Between pairs of rows that `labels` tells apart: both sides of where it changes its mind, as near as numbers
        go."""
        low, high = self.ordinary(count), self.ordinary(count)
        first = labels(low)
        apart = [i for i, (a, b) in enumerate(zip(first, labels(high))) if a != b]
        if not apart:
            return np.empty((0, self._width))
        low, high, first = low[apart], high[apart], [first[i] for i in apart]
        for _ in range(_HALVINGS):
            middle = low + (high - low) / 2
            same = np.array([a == b for a, b in zip(first, labels(middle))])
            low, high = np.where(same[:, None], middle, low), np.where(same[:, None], high, middle)
        return np.concatenate((low, high))

    def _column(self, column: int, marginals: Sequence[np.ndarray] | None) -> np.ndarray:
        if marginals is not None and len(marginals[column]):
            return marginals[column]
        values = self._thresholds.get(column)
        if values is None:
            return np.concatenate((self._random.normal(size=500), 100 * self._random.normal(size=100)))
        low, high = float(values.min()), float(values.max())
        margin = 0.1 * (high - low) or 1.0
        return self._random.uniform(low - margin, high + margin, 500)

    def _beside(self, values: np.ndarray) -> np.ndarray:
        single = values.astype(np.float32)
        up, down = np.float32(np.inf), np.float32(-np.inf)
        kinds = [
            values, np.nextafter(values, np.inf), np.nextafter(values, -np.inf),
            single, np.nextafter(single, up), np.nextafter(single, down),
        ]  # fmt: skip
        return np.choose(self._random.integers(0, len(kinds), len(values)), kinds)
