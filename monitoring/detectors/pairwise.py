"""Whether numbers still go together as they did: what no single column shows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from leeway.profile import FeatureProfile, PairProfile

from .evidence import with_dof

_NEAR_ONE = 0.9999


class Parted(NamedTuple):
    """For each of m columns, arrays of shape (m,): p-value and effect of its pair with the strongest evidence, which
    column the other one is (-1: none moved by more than its gate), the correlation in the window and before."""

    p_values: np.ndarray
    effects: np.ndarray
    partners: np.ndarray
    now: np.ndarray
    before: np.ndarray


class Pairwise:
    """Compares the correlation of every two columns with the reference's.

    Values are drawn in to the reference's outermost hundredths; a moved mean or another spread changes no correlation.
    The test is that of two correlations by Fisher's z, with the variance that the reference's own fourth moments give
    (columns need not be normal) and rows worth n / inflation. The effect is the difference of the z, and counts where
    it exceeds the larger of `gate` and the largest one between the reference's own windows. Of a column's pairs the
    one with the strongest evidence counts, at the price of all of them (Bonferroni).

    Against the reconstruction error of principal components, which dilutes one pair among all components, and which
    does not see columns that begin to go together: tests/bench/bench_windows.py.

    R. A. Fisher, On the probable error of a coefficient of correlation, Metron 1 (1921); J. H. Steiger and A. R.
    Hakstian, The asymptotic distribution of elements of a correlation matrix, BJMSP 35 (1982).
    """

    def __init__(self, profile: PairProfile, features: Sequence[FeatureProfile], gate: float):
        places = {feature.name: i for i, feature in enumerate(features)}
        self._columns = np.array([places[name] for name in profile.names])
        self._ends = np.array([ends_of(features[i]) for i in self._columns])[:, :, None]
        d = len(profile.names)
        before, self._variance, own, self._rows = (
            square(stored, d) for stored in (profile.correlation, profile.variance, profile.own, profile.rows)
        )
        root = np.sqrt(np.array(profile.inflation))
        self._before, self._inflation, self._width = before, root[:, None] * root, len(features)
        gates = np.maximum(own, gate)
        self._least, self._most = (np.tanh(np.arctanh(before) + sign * gates) for sign in (-1, 1))

    def score(self, values: np.ndarray) -> Parted:
        """Compare the columns of one window, shape (m, n) in the order of the features, NaN where missing."""
        now, rows = correlations(np.clip(values[self._columns], self._ends[:, 0], self._ends[:, 1]))
        at = np.nonzero(np.triu((now < self._least) | (now > self._most), 1))
        found = Parted(np.ones(self._width), *np.zeros((4, self._width)))
        found.partners[:] = -1
        if not len(at[0]):
            return found
        effects = np.abs(np.arctanh(now[at]) - np.arctanh(self._before[at]))
        size, reference = rows[at] / self._inflation[at], self._rows[at] / self._inflation[at]
        free = 1 / np.maximum(size - 3, 1e-9) + 1 / np.maximum(reference - 3, 1e-9)
        z = effects / np.sqrt(self._variance[at] * free)
        p_values = with_dof(2 * ndtr(-z), np.maximum(2 * reference, 1.0)) * (len(now) - 1)
        order = np.argsort(z)  # so that of a column's pairs the strongest is written last
        for mine, other in (at, at[::-1]):
            stronger = order[p_values[order] <= found.p_values[self._columns[mine[order]]]]
            rows_of = self._columns[mine[stronger]]
            facts = (p_values, effects, self._columns[other], now[at], self._before[at])
            for whole, part in zip(found, facts):
                whole[rows_of] = part[stronger]
        return found


def ends_of(feature: FeatureProfile) -> tuple[float, float]:
    """Where the outermost hundredths of a column begin; without bounds where all between is the same."""
    sample = np.frombuffer(feature.sample, "<f8")
    if not len(sample):
        return -np.inf, np.inf
    low, high = sample[len(sample) // 100], sample[-1 - len(sample) // 100]
    return (float(low), float(high)) if low < high else (-np.inf, np.inf)


def correlations(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(correlation, rows) of every two of m columns over the rows that have both; values (m, n) -> (m, m) each.

    Correlations lie within +-0.9999; 0 where one of the two does not vary.
    """
    missing = np.isnan(values)
    if not missing.any():
        centred = values - values.mean(axis=1, keepdims=True)
        products = centred @ centred.T
        squares = np.diag(products)
        scale = np.sqrt(squares[:, None] * squares)
        rows = np.full(products.shape, float(values.shape[1]))
        return _bounded(products, scale), rows
    present = (~missing).astype(float)
    filled = np.where(missing, 0.0, values)
    filled -= present * (filled.sum(axis=1) / np.maximum(present.sum(axis=1), 1))[:, None]
    rows, sums, squares = present @ present.T, filled @ present.T, (filled * filled) @ present.T
    n = np.maximum(rows, 1)
    spread = np.maximum(squares - sums * sums / n, 0.0)
    return _bounded(filled @ filled.T - sums * sums.T / n, np.sqrt(spread * spread.T)), rows


def square(stored: bytes, d: int) -> np.ndarray:
    """A symmetric matrix, shape (d, d), from its part above the diagonal, row by row; the diagonal is 0."""
    matrix = np.zeros((d, d))
    upper = np.triu_indices(d, 1)
    matrix[upper] = np.frombuffer(stored, "<f4")
    return matrix + matrix.T


def _bounded(products: np.ndarray, scale: np.ndarray) -> np.ndarray:
    found = np.divide(products, scale, out=np.zeros_like(products), where=scale > 1e-12)
    return np.clip(found, -_NEAR_ONE, _NEAR_ONE)
