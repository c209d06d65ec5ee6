"""Scores into probabilities of a class."""

import numpy as np
from scipy.optimize import isotonic_regression


class Calibration:
    """Isotonic regression of a 0/1 outcome on a score, both of shape (n,); linear between the scores it was fitted on
    and level beyond them.

    B. Zadrozny and C. Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002.

    >>> import numpy as np
    >>> from monitoring.performance.calibration import Calibration
    >>> Calibration(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1]))(np.array([0.0, 0.25, 0.35])).tolist()
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
