"""Performance of a regression without labels."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from leeway.profile import NUMERIC, FeatureProfile, LossProfile

from ..detectors.values import category, numbers_of
from .estimate import Estimate

MAE, RMSE, ERROR_RATE = METRICS = ("mae", "rmse", "error_rate")
_BINS, _RIDGE, _MOST_FEATURES = 12, 10.0, 30
_REST, _MISSING = _BINS - 2, _BINS - 1
_TWO_SIDED_95 = 1.96

Columns = Mapping[str, np.ndarray | list]


class LossTable:
    """Direct loss estimation: the loss of a row as a sum of one number for each bin that its values fall into.

    The numbers are learnt by ridge regression on rows that the model was not fitted on, for the loss |residual|, its
    square, and whether it exceeds the profile's tolerance; of many features those 30 whose bins tell the losses apart
    best. The answer counts as a feature. It sees what a move of the rows towards harder ones does, and is blind to
    concept drift: where the same rows get other truths, the estimate stays where it was.

    After NannyML's direct loss estimation, which takes gradient boosted trees; a table travels in a profile.
    """

    def __init__(self, profile: LossProfile, features: Sequence[FeatureProfile], inflation: float = 1.0):
        by_name = {feature.name: feature for feature in features}
        self._features = [by_name[name] for name in profile.features]
        self._table = np.frombuffer(profile.table, "<f4").reshape(len(METRICS), len(self._features), _BINS)
        self._profile, self._inflation = profile, inflation

    def estimate(self, columns: Columns) -> dict[str, Estimate]:
        """The metrics of rows by column, the answers among them under the prediction's name, each of shape (n,)."""
        kept = self._profile
        codes = [_codes(columns[feature.name], feature) for feature in self._features]
        n = len(codes[0])
        losses = np.array(kept.means)[:, None] + sum(self._table[:, j, code] for j, code in enumerate(codes))
        widen = math.sqrt(self._inflation * (1 / max(n, 1) + 1 / kept.rows)) * _TWO_SIDED_95
        found = zip(METRICS, np.maximum(losses.mean(axis=1), 0.0).tolist(), kept.means, kept.deviations)
        return {name: _estimate(name, mean, before, widen * deviation) for name, mean, before, deviation in found}


def fit_loss(
    columns: Columns, features: Sequence[FeatureProfile], residuals: np.ndarray, tolerance: float
) -> LossProfile | None:
    """The table of a model's |residual|, shape (n,), NaN where it is not known; None where there is none."""
    known = np.isfinite(residuals)
    if not known.any():
        return None
    residuals = residuals[known]
    losses = np.array([residuals, residuals**2, residuals > tolerance], float)
    means = losses.mean(axis=1)
    codes = [_codes(columns[feature.name], feature)[known] for feature in features]
    told = [_told(code, losses[0] - means[0]) for code in codes]
    chosen = sorted(np.argsort(told)[::-1][:_MOST_FEATURES].tolist())
    onehot = np.concatenate([np.eye(_BINS)[codes[j]] for j in chosen], axis=1)
    gram = onehot.T @ onehot + _RIDGE * np.eye(onehot.shape[1])
    weights = np.linalg.solve(gram, onehot.T @ (losses - means[:, None]).T)
    unexplained = losses - means[:, None] - (onehot @ weights).T
    return LossProfile(
        features=[features[j].name for j in chosen],
        rows=len(residuals),
        means=means.tolist(),
        deviations=unexplained.std(axis=1).tolist(),
        table=np.ascontiguousarray(weights.T, "<f4").tobytes(),
    )


def _told(codes: np.ndarray, losses: np.ndarray) -> float:
    """How much of the losses' variance lies between bins."""
    sums = np.bincount(codes, weights=losses, minlength=_BINS)
    return float((sums**2 / np.maximum(np.bincount(codes, minlength=_BINS), 1)).sum())


def _codes(column: np.ndarray | list, feature: FeatureProfile) -> np.ndarray:
    """The bin of each value; categories that are not among the ten most frequent ones share one."""
    if feature.kind == NUMERIC:
        values = numbers_of(column)
        return np.where(np.isfinite(values), np.searchsorted(feature.edges, values), _MISSING)
    places = {name: i for i, name in enumerate(list(feature.categories)[:_REST])}
    names = map(category, column)
    return np.array([_MISSING if name is None else places.get(name, _REST) for name in names], int)


def _estimate(name: str, mean: float, before: float, margin: float) -> Estimate:
    found = np.array([max(mean - margin, 0.0), mean, mean + margin, before])
    low, value, high, reference = (np.sqrt(found) if name == RMSE else found).tolist()
    return Estimate(value=value, low=low, high=high, reference=reference)
