"""Columns of numbers against their reference, all of them in one pass."""

from collections.abc import Sequence

import numpy as np
from scipy.special import kolmogorov, ndtr

from leeway.profile import FeatureProfile

from .evidence import LOCATION, OUT_OF_RANGE, SHAPE, UNSEEN, ByName, Evidence, with_dof
from .histogram_distances import histogram_distances
from .presence import Presence
from .rates import more_often
from .values import numbers_of, other_types


class NumericDrift:
    """m columns of numbers; arrays are of shape (m,), or (m, n) for a window of n rows.

    `shape` is the two-sample Kolmogorov-Smirnov test with effective sizes. `location` is the rank-sum test (the mean
    rank of the window's values in the reference, mid-ranks for ties), which sees a move of the middle before KS does.
    Rows count as n / inflation, and the p-values allow for the inflation being an estimate (Student's t with twice as
    many degrees of freedom as the reference has effective rows). The effect of both is the Wasserstein distance
    between the window's order statistics and the reference's quantiles, in units of the reference's spread; for a
    column that was constant, the share of values that differ. `out_of_range` counts values beyond the reference's
    lowest and highest.

    F. J. Massey, The Kolmogorov-Smirnov test for goodness of fit, JASA 46 (1951); H. B. Mann and D. R. Whitney, On a
    test of whether one of two random variables is stochastically larger than the other, AMS 18 (1947).
    """

    def __init__(self, features: Sequence[FeatureProfile], window_rows: int):
        self._presence = Presence(features)
        self._samples = [np.frombuffer(feature.sample or _NOTHING, "<f8") for feature in features]
        self._sizes = np.array([len(sample) for sample in self._samples])[:, None]
        bins = max(1, *(len(feature.counts) for feature in features))
        self._counts = _padded([feature.counts for feature in features], bins, 0)
        self._edges = _padded([feature.edges for feature in features], bins - 1, np.inf)
        self._low = np.array([_or(f.low, np.inf) for f in features])[:, None]
        self._high = np.array([_or(f.high, -np.inf) for f in features])[:, None]
        self._spread = np.array([feature.spread or 1.0 for feature in features])
        self._location_inflation = np.array([feature.inflation.location for feature in features])
        self._rank_variance = np.array([_rank_variance(sample) for sample in self._samples])
        self._quantiles = np.array([_quantiles(sample, window_rows) for sample in self._samples])

    def score(self, columns: Sequence[np.ndarray | list], rows: int) -> Evidence:
        """Compare m columns, each of shape (rows,), in the order of the features."""
        values = np.array([numbers_of(column) for column in columns])
        values[np.isinf(values)] = np.nan
        values.sort(axis=1)
        present = rows - np.isnan(values).sum(axis=1)
        others = np.array([other_types(column) if n < rows else 0 for column, n in zip(columns, present)])
        ks, rank = self._ranks(values, present)
        metrics = histogram_distances(self._histograms(values, present), self._counts)
        metrics |= {"ks": ks, "wasserstein": self._wasserstein(values, present)}
        outside = ((values < self._low) | (values > self._high)).sum(axis=1)
        is_constant = (present > 0) & (values[:, 0] == values[np.arange(len(values)), present - 1])
        shares = self._presence.shares(rows, present, others)
        shares |= {OUT_OF_RANGE: outside / np.maximum(present, 1), UNSEEN: np.zeros(len(present))}
        p_values = self._presence.p_values(rows, present, others, is_constant)
        p_values |= self._p_values(metrics, rank, outside, present)
        return Evidence(metrics, p_values, self._effects(metrics, shares), shares, is_constant)

    def _p_values(self, metrics: ByName, rank: np.ndarray, outside: np.ndarray, present: np.ndarray) -> ByName:
        presence, inflation = self._presence, self._presence.shape_inflation
        effective = present / inflation
        ks = kolmogorov(metrics["ks"] * np.sqrt(_harmonic(effective, presence.effective)))
        # of a two-sided range, the reference itself has one value more on either side than lie beyond it
        beyond = np.where(presence.was_constant, 0.0, 1.0)
        return {
            LOCATION: self._location(rank, present),
            SHAPE: with_dof(ks, presence.dof),
            OUT_OF_RANGE: more_often(outside / inflation, effective, beyond, presence.effective),
        }

    def _location(self, rank: np.ndarray, present: np.ndarray) -> np.ndarray:
        inflation, reference = self._location_inflation, self._presence.present
        size = _harmonic(present / inflation, reference / inflation)
        variance = np.maximum(self._rank_variance, 1e-300)
        z = np.where(self._rank_variance > 0, np.abs(rank - 0.5) * np.sqrt(size / variance), 0.0)
        return with_dof(2 * ndtr(-z), np.maximum(2 * reference / inflation, 1.0))

    def _effects(self, metrics: ByName, shares: ByName) -> ByName:
        moved = np.where(self._presence.was_constant, metrics["ks"], metrics["wasserstein"])
        effects = {LOCATION: moved, SHAPE: moved, OUT_OF_RANGE: shares[OUT_OF_RANGE]}
        return effects | self._presence.effects(shares)

    def _ranks(self, values: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The Kolmogorov-Smirnov distance and the mean mid-rank, both from the ranks of the window in the reference.

        The largest difference of two step functions lies at a value of the window, or just before one.
        """
        below = np.zeros(values.shape)
        upto = np.zeros(values.shape)
        for j, (sample, n) in enumerate(zip(self._samples, present)):
            below[j, :n] = left = sample.searchsorted(values[j, :n])
            is_tied = sample[np.minimum(left, len(sample) - 1)] == values[j, :n]
            upto[j, :n] = sample.searchsorted(values[j, :n], "right") if is_tied.any() else left
        below /= self._sizes
        upto /= self._sizes
        n = np.maximum(present, 1)[:, None]
        place = np.arange(1, values.shape[1] + 1)
        excess = np.maximum(place / n - upto, below - (place - 1) / n)
        excess[place > n] = 0.0
        rank = np.where(present > 0, (below + upto).sum(axis=1) / (2 * n[:, 0]), 0.5)
        return np.where(present > 0, np.maximum(excess.max(axis=1), 0.0), 0.0), rank

    def _histograms(self, values: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Counts by the reference's bins, shape (m, bins)."""
        upto = np.zeros((len(values), self._edges.shape[1] + 2))
        for j, (edges, n) in enumerate(zip(self._edges, present)):
            upto[j, 1:-1] = values[j, :n].searchsorted(edges, "right")
        upto[:, -1] = present
        return upto[:, 1:] - upto[:, :-1]

    def _wasserstein(self, values: np.ndarray, present: np.ndarray) -> np.ndarray:
        width = self._quantiles.shape[1]
        distance = np.zeros(len(values))
        full = present == width
        if full.any():
            distance[full] = np.abs(values[full, :width] - self._quantiles[full]).mean(axis=1)
        for j in np.flatnonzero(~full & (present > 0)):
            n = present[j]
            distance[j] = np.abs(values[j, :n] - _quantiles(self._samples[j], n)).mean()
        distance[self._presence.present == 0] = 0.0
        return distance / self._spread


_NOTHING = np.array([np.nan], "<f8").tobytes()


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _padded(rows: Sequence[Sequence[float]], width: int, filler: float) -> np.ndarray:
    """Shape (m, width)."""
    return np.array([[*row, *[filler] * (width - len(row))] for row in rows], float).reshape(len(rows), width)


def _harmonic(n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """n m / (n + m), the size of a two-sample comparison; 0 where one of them is 0."""
    return n * m / np.maximum(n + m, 1e-300)


def _quantiles(sample: np.ndarray, n: int) -> np.ndarray:
    """The means of the sample's quantile function over n equal parts."""
    below = np.concatenate([[0.0], np.cumsum(sample)]) / len(sample)
    return np.diff(np.interp(np.linspace(0, 1, n + 1), np.linspace(0, 1, len(below)), below)) * n


def _rank_variance(sample: np.ndarray) -> float:
    """The variance of mid-ranks on (0, 1): 1/12, less for ties."""
    _, counts = np.unique(sample, return_counts=True)
    return float((1 - ((counts / len(sample)) ** 3).sum()) / 12)
