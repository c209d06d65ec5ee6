"""Scores into probabilities of a class."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import isotonic_regression

_FOLDS, _BINS = 10, 10


class Calibration:
    """Isotonic regression of a 0/1 outcome on a score, both of shape (n,); linear between the scores it was fitted on
    and level beyond them.

    B. Zadrozny and C. Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002.

    >>> import numpy as np
    >>> from monitoring.performance.calibration import Calibration
    >>> calibration = Calibration(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1]))
    >>> calibration(np.array([0.0, 0.25, 0.35])).round(6).tolist()
    [0.0, 0.5, 0.75]
    """

    def __init__(self, scores: np.ndarray, outcomes: np.ndarray):
        values, groups, weights = np.unique(scores, return_inverse=True, return_counts=True)
        means = np.bincount(groups, weights=outcomes, minlength=len(values)) / weights
        fitted = isotonic_regression(means, weights=weights.astype(float)).x
        # between two knots of one level nothing bends
        bends = np.ones(len(values), bool)
        bends[1:-1] = (fitted[1:-1] != fitted[:-2]) | (fitted[1:-1] != fitted[2:])
        self._scores, self._fitted = values[bends].astype(float), fitted[bends]

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities of the same shape; NaN stays NaN."""
        return np.interp(scores, self._scores, self._fitted)


def calibration_of(scores: np.ndarray, outcomes: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A calibration where it helps, else the scores as they are.

    It helps where it lowers the expected calibration error (ten bins of equal counts) of rows that it was not fitted
    on, each tenth of them in turn.
    """
    if 0 < outcomes.mean() < 1 and len(scores) >= 2 * _FOLDS and _is_helpful(scores, outcomes):
        return Calibration(scores, outcomes)
    return np.asarray


def _is_helpful(scores: np.ndarray, outcomes: np.ndarray) -> bool:
    calibrated = np.empty(len(scores))
    for fold in range(_FOLDS):
        kept = np.arange(len(scores)) % _FOLDS == fold
        calibrated[kept] = Calibration(scores[~kept], outcomes[~kept])(scores[kept])
    return _calibration_error(calibrated, outcomes) < _calibration_error(scores, outcomes)


def _calibration_error(scores: np.ndarray, outcomes: np.ndarray) -> float:
    order = np.argsort(scores, kind="stable")
    gaps = np.array_split((scores - outcomes)[order], _BINS)
    return float(sum(abs(gap.sum()) for gap in gaps)) / len(scores)
