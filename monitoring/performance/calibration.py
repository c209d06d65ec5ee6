"""Scores into probabilities of a class."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import isotonic_regression

from .confusion import roc_auc
from .stratified_split import stratified_splits

_SPLITS, _SHARE, _BINS = 10, 0.1, 10
_FEWEST_ROWS = 20
_PERFECT = 0.999  # area under the curve of scores that part the classes: nothing to calibrate


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
    on: of a tenth, drawn ten times. The draws and the rule are NannyML's, so that the estimates agree.
    """
    if 0 < outcomes.mean() < 1 and len(scores) >= _FEWEST_ROWS and _is_helpful(scores, outcomes):
        return Calibration(scores, outcomes)
    return np.asarray


def _is_helpful(scores: np.ndarray, outcomes: np.ndarray) -> bool:
    if roc_auc(outcomes, scores) > _PERFECT:
        return False
    raw, calibrated, true = [], [], []
    for train, test in stratified_splits(outcomes, _SPLITS, _SHARE):
        raw.append(scores[test])
        calibrated.append(Calibration(scores[train], outcomes[train])(scores[test]))
        true.append(outcomes[test])
    before, after = (_calibration_error(np.concatenate(some), np.concatenate(true)) for some in (raw, calibrated))
    return after < before


def _calibration_error(scores: np.ndarray, outcomes: np.ndarray) -> float:
    """The rows that do not fill a tenth go to the last bin."""
    gaps = (scores - outcomes)[np.argsort(scores)]
    starts = np.arange(_BINS) * (len(gaps) // _BINS)
    return float(np.abs(np.add.reduceat(gaps, starts)).sum()) / len(gaps)
