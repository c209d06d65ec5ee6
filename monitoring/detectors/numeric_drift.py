"""Columns of numbers against their reference, all of them in one pass."""

from collections.abc import Sequence

import numpy as np
from scipy.special import kolmogorov, ndtr, ndtri

from leeway.profile import FeatureProfile

from .evidence import CORRELATION, LOCATION, OUT_OF_RANGE, SHAPE, UNSEEN, ByName, Evidence, with_dof
from .histogram_distances import histogram_distances
from .pairwise import Pairwise, ends_of
from .presence import Presence
from .quantile_cells import QuantileCells
from .rates import more_often
from .values import numbers_of, other_types


class NumericDrift:
    """m columns of numbers; arrays are of shape (m,), or (m, n) for a window of n rows.

    `shape` is the two-sample Kolmogorov-Smirnov test with effective sizes. `location` is van der Waerden's
    test (the mean normal score of the ranks that the window's values have in the reference, mid-ranks for ties), which
    sees a move of the middle before KS does: of normal values as soon as their mean does, of all others sooner.
    Rows count as n / inflation, and the p-values allow for the inflation being an estimate (Student's t with twice as
    many degrees of freedom as the reference has effective rows). The effect of both is the Wasserstein distance in
    units of the reference's spread, once window and reference are drawn in to the reference's first and last
    hundredth as the spread is: a few values far out neither feign a move nor hide one. The metric `wasserstein` is
    the plain distance in the same units. For a column that was constant the effect is the share of values that
    differ. `out_of_range` counts values beyond the reference's lowest and highest.

    F. J. Massey, The Kolmogorov-Smirnov test for goodness of fit, JASA 46 (1951); B. L. van der Waerden, Order tests
    for the two-sample problem, Indagationes Mathematicae 14 (1952); H. Chernoff and I. R. Savage, Asymptotic normality
    and efficiency of certain nonparametric test statistics, AMS 29 (1958).
    """

    def __init__(self, features: Sequence[FeatureProfile], window_rows: int, pairwise: Pairwise | None = None):
        self._names, self._pairwise = [feature.name for feature in features], pairwise
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
        self._scores = [_scores(len(sample)) for sample in self._samples]
        own = [scores[_places(sample, sample)] for sample, scores in zip(self._samples, self._scores)]
        self._mean_score, self._score_variance = np.array([(scores.mean(), scores.var()) for scores in own]).T
        self._ends = np.array([ends_of(feature) for feature in features]).T
        self._rows, self._cells = window_rows, QuantileCells(self._samples, window_rows)

    def score(self, columns: Sequence[np.ndarray | list], rows: int) -> Evidence:
        """Compare m columns, each of shape (rows,), in the order of the features."""
        values = np.array([numbers_of(column) for column in columns])
        values[np.isinf(values)] = np.nan
        parted = None if self._pairwise is None else self._pairwise.score(values)
        values.sort(axis=1)
        present = rows - np.isnan(values).sum(axis=1)
        others = np.array([other_types(column) if n < rows else 0 for column, n in zip(columns, present)])
        below, upto = self._ranks(values, present)
        distance, within = self._wasserstein(values, upto, present)
        ks = self._ks(below / self._sizes, upto / self._sizes, present)
        score = self._mean_scores(below + upto, present)
        metrics = histogram_distances(self._histograms(values, present), self._counts)
        metrics |= {"ks": ks, "wasserstein": distance}
        outside = ((values < self._low) | (values > self._high)).sum(axis=1)
        is_constant = (present > 0) & (values[:, 0] == values[np.arange(len(values)), present - 1])
        shares = self._presence.shares(rows, present, others)
        shares |= {OUT_OF_RANGE: outside / np.maximum(present, 1), UNSEEN: np.zeros(len(present))}
        p_values = self._presence.p_values(rows, present, others, is_constant)
        p_values |= self._p_values(metrics, score, outside, present)
        effects = self._effects(ks, within, shares)
        if parted is None:
            nothing = [""] * len(values), [(0.0, 0.0)] * len(values)
            return Evidence(metrics, p_values, effects, shares, is_constant, *nothing)
        p_values[CORRELATION], effects[CORRELATION] = parted.p_values, parted.effects
        partners = [self._names[j] if j >= 0 else "" for j in parted.partners.astype(int).tolist()]
        both = list(zip(parted.now.tolist(), parted.before.tolist()))
        return Evidence(metrics, p_values, effects, shares, is_constant, partners, both)

    def _p_values(self, metrics: ByName, score: np.ndarray, outside: np.ndarray, present: np.ndarray) -> ByName:
        presence, inflation = self._presence, self._presence.shape_inflation
        effective = present / inflation
        ks = kolmogorov(metrics["ks"] * np.sqrt(_harmonic(effective, presence.effective)))
        # of a two-sided range, the reference itself has one value more on either side than lie beyond it
        beyond = np.where(presence.was_constant, 0.0, 1.0)
        return {
            LOCATION: self._location(score, present),
            SHAPE: with_dof(ks, presence.dof),
            OUT_OF_RANGE: more_often(outside / inflation, effective, beyond, presence.effective),
        }

    def _location(self, score: np.ndarray, present: np.ndarray) -> np.ndarray:
        inflation, reference = self._location_inflation, self._presence.present
        size = _harmonic(present / inflation, reference / inflation)
        variance = np.maximum(self._score_variance, 1e-300)
        z = np.where(self._score_variance > 1e-12, np.abs(score - self._mean_score) * np.sqrt(size / variance), 0.0)
        return with_dof(2 * ndtr(-z), np.maximum(2 * reference / inflation, 1.0))

    def _effects(self, ks: np.ndarray, within: np.ndarray, shares: ByName) -> ByName:
        moved = np.where(self._presence.was_constant, ks, within)
        effects = {LOCATION: moved, SHAPE: moved, OUT_OF_RANGE: shares[OUT_OF_RANGE]}
        return effects | self._presence.effects(shares)

    def _ranks(self, values: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many of the reference's values are below, and up to, each value of the window; shape (m, n)."""
        below = np.zeros(values.shape, int)
        upto = np.zeros(values.shape, int)
        for j, (sample, n) in enumerate(zip(self._samples, present)):
            below[j, :n] = left = sample.searchsorted(values[j, :n])
            is_tied = sample[np.minimum(left, len(sample) - 1)] == values[j, :n]
            upto[j, :n] = sample.searchsorted(values[j, :n], "right") if is_tied.any() else left
        return below, upto

    @staticmethod
    def _ks(below: np.ndarray, upto: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The Kolmogorov-Smirnov distance from ranks as shares of the reference.

        The largest difference of two step functions lies at a value of the window, or just before one.
        """
        n = np.maximum(present, 1)[:, None]
        place = np.arange(1, below.shape[1] + 1)
        excess = np.maximum(place / n - upto, below - (place - 1) / n)
        excess[place > n] = 0.0
        return np.where(present > 0, np.maximum(excess.max(axis=1), 0.0), 0.0)

    def _mean_scores(self, places: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The mean normal score of each window; places are twice the mid-ranks."""
        sums = [scores[row[:n]].sum() for scores, row, n in zip(self._scores, places, present)]
        return np.where(present > 0, np.array(sums) / np.maximum(present, 1), self._mean_score)

    def _histograms(self, values: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Counts by the reference's bins, shape (m, bins)."""
        upto = np.zeros((len(values), self._edges.shape[1] + 2))
        for j, (edges, n) in enumerate(zip(self._edges, present)):
            upto[j, 1:-1] = values[j, :n].searchsorted(edges, "right")
        upto[:, -1] = present
        return upto[:, 1:] - upto[:, :-1]

    def _wasserstein(self, values: np.ndarray, upto: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The distances, plain and drawn in, in spreads."""
        found = np.zeros((2, len(values)))
        if values.shape[1] == self._rows and (present == self._rows).all():
            found[:] = _both(self._cells, values, upto, self._ends)
        else:
            for j in np.flatnonzero(present):
                n, one = present[j], slice(j, j + 1)
                cells = QuantileCells(self._samples[one], n)
                found[:, one] = _both(cells, values[one, :n], upto[one, :n], self._ends[:, one])
        found[:, self._presence.present == 0] = 0.0
        return found[0] / self._spread, found[1] / self._spread


_NOTHING = np.array([np.nan], "<f8").tobytes()


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _padded(rows: Sequence[Sequence[float]], width: int, filler: float) -> np.ndarray:
    """Shape (m, width)."""
    return np.array([[*row, *[filler] * (width - len(row))] for row in rows], float).reshape(len(rows), width)


def _harmonic(n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """n m / (n + m), the size of a two-sample comparison; 0 where one of them is 0."""
    return n * m / np.maximum(n + m, 1e-300)


def _both(cells: QuantileCells, values: np.ndarray, upto: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, ...]:
    return cells.distances(values, upto), cells.distances_within(values, *ends)


def _scores(n: int) -> np.ndarray:
    """Normal scores by place among n values: twice the mid-rank, 0 to 2 n."""
    return ndtri((np.arange(2 * n + 1) / 2 + 0.5) / (n + 1))


def _places(sample: np.ndarray, values: np.ndarray) -> np.ndarray:
    return sample.searchsorted(values) + sample.searchsorted(values, "right")
