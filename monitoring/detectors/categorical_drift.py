"""Columns of categories against their reference."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

from leeway.profile import FeatureProfile

from .evidence import OUT_OF_RANGE, SHAPE, UNSEEN, ByName, Evidence, with_dof
from .histogram_distances import histogram_distances
from .presence import Presence
from .rates import more_often
from .values import counted

_LEAST_EXPECTED = 5.0


class CategoricalDrift:
    """A test of the distribution and four of its fringe for each of m columns; booleans are two categories.

    `shape` is the two-sample chi-square test over categories that a window is expected to hold five effective rows
    of; the rarer ones share a bin. Its statistic is divided by the inflation (Rao and Scott's first correction). Its
    effect is the Jensen-Shannon distance over these bins. `unseen` counts values that are not among the categories
    kept of the reference: each of its own rows, left out, would have been one if its category was not kept, or
    would not have been without it.

    J. N. K. Rao and A. J. Scott, The analysis of categorical data from complex sample surveys, JASA 76 (1981); I. J.
    Good, The population frequencies of species and the estimation of population parameters, Biometrika 40 (1953).
    """

    def __init__(self, features: Sequence[FeatureProfile], window_rows: int):
        self._presence = Presence(features)
        self._features = features
        self._bins = [_bins(feature, window_rows) for feature in features]
        self._width = max((len(bins.counts) for bins in self._bins), default=0)
        self._counts = np.array([self._widened(bins.counts) for bins in self._bins])
        self._dof = np.array([len(bins.counts) - 1 for bins in self._bins])
        self._outside = np.array([f.rest + f.borderline for f in features], float)

    def score(self, columns: Sequence[np.ndarray | list], rows: int) -> Evidence:
        """Compare m columns, each of shape (rows,), in the order of the features."""
        found = [_count(column, bins, feature) for column, bins, feature in zip(columns, self._bins, self._features)]
        counts = np.array([self._widened(window.counts) for window in found])
        present, others, unseen = (np.array([window[i] for window in found], float) for i in (1, 2, 3))
        is_constant = np.array([window.distinct == 1 for window in found])
        metrics = histogram_distances(counts, self._counts)
        shares = self._presence.shares(rows, present - others, others)
        shares |= {UNSEEN: unseen / np.maximum(present, 1), OUT_OF_RANGE: np.zeros(len(found))}
        p_values = self._presence.p_values(rows, present - others, others, is_constant)
        p_values |= self._p_values(metrics["chi_square"], unseen, present)
        nothing = [""] * len(found), [(0.0, 0.0)] * len(found)
        return Evidence(metrics, p_values, self._effects(metrics, shares), shares, is_constant, *nothing)

    def _p_values(self, chi_square: np.ndarray, unseen: np.ndarray, present: np.ndarray) -> ByName:
        presence, inflation = self._presence, self._presence.shape_inflation
        p = np.where(self._dof > 0, chdtrc(np.maximum(self._dof, 1), chi_square / inflation), 1.0)
        return {
            SHAPE: with_dof(p, presence.dof),
            UNSEEN: more_often(unseen / inflation, present / inflation, self._outside / inflation, presence.effective),
        }

    def _effects(self, metrics: ByName, shares: ByName) -> ByName:
        expected = self._outside / np.maximum(self._presence.present, 1)
        effects = {SHAPE: metrics["jensen_shannon"], UNSEEN: np.maximum(shares[UNSEEN] - expected, 0.0)}
        return effects | self._presence.effects(shares)

    def _widened(self, counts: Sequence[float]) -> list[float]:
        return [*counts, *[0.0] * (self._width - len(counts))]


class _Bins(NamedTuple):
    """Which bin a category is in (`last` where it is in none), and the reference's rows per bin."""

    index: dict[str, int]
    last: int
    counts: list[float]


class _Counted(NamedTuple):
    """Rows per bin; rows with a value, with one of another type, with one that is unseen; distinct values."""

    counts: list[float]
    present: int
    others: int
    unseen: int
    distinct: int


def _bins(feature: FeatureProfile, window_rows: int) -> _Bins:
    """A bin for each category that is frequent enough, and one for the others if it is too."""
    present = max(feature.present, 1)
    per_row = window_rows / feature.inflation.shape / present * (feature.present / max(feature.rows, 1))
    ordered = sorted(feature.categories.items(), key=lambda item: -item[1])
    frequent = [(name, n) for name, n in ordered if n * per_row >= _LEAST_EXPECTED] or ordered[:1]
    counts = [float(n) for _, n in frequent]
    others = feature.present - sum(counts)
    if others * per_row >= _LEAST_EXPECTED or not counts:
        counts.append(others)
    else:
        counts[-1] += others
    return _Bins({name: i for i, (name, _) in enumerate(frequent)}, len(counts) - 1, counts)


def _count(column: np.ndarray | list, bins: _Bins, feature: FeatureProfile) -> _Counted:
    categories, types = counted(column)
    counts = [0.0] * len(bins.counts)
    unseen = 0
    for name, n in categories.items():
        counts[bins.index.get(name, bins.last)] += n
        unseen += 0 if name in feature.categories else n
    others = sum(n for kind, n in types.items() if kind not in feature.types)
    return _Counted(counts, sum(categories.values()), others, unseen, len(categories))
