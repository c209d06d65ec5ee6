"""Tests that columns of every kind have in common: values that are missing, of another type, or all the same."""

from collections.abc import Sequence

import numpy as np

from leeway.profile import FeatureProfile

from .evidence import CONSTANT, MISSING, TYPE_CHANGE, ByName
from .rates import more_often, other_share


class Presence:
    """m columns against their reference; arrays are of shape (m,).

    The missing rate may move either way. A value of another type than the reference's is an event that the reference
    did not have. A window of one value only is as likely as its effective rows all taking the reference's most
    frequent value.
    """

    def __init__(self, features: Sequence[FeatureProfile]):
        self.rows = np.array([feature.rows for feature in features], float)
        self.present = np.array([feature.present for feature in features], float)
        self.was_constant = np.array([feature.constant for feature in features], bool)
        self.shape_inflation = np.array([feature.inflation.shape for feature in features])
        self._missing_inflation = np.array([feature.inflation.missing for feature in features])
        shares = np.array([feature.mode_share for feature in features])
        self._mode_share = (shares * self.present + 1) / (self.present + 1)

    @property
    def effective(self) -> np.ndarray:
        """What the reference's present rows are worth."""
        return self.present / self.shape_inflation

    @property
    def dof(self) -> np.ndarray:
        """Degrees of freedom of an inflation that was estimated on the reference."""
        return np.maximum(2 * self.effective, 1.0)

    def p_values(self, rows: int, present: np.ndarray, others: np.ndarray, is_constant: np.ndarray) -> ByName:
        """Of a window of `rows` rows, of which `others` have values of another type, and `present` of the right one."""
        inflation = self._missing_inflation
        missing, absent = rows - present - others, self.rows - self.present
        every = np.full(len(present), float(rows))
        shrunk = self._mode_share ** np.maximum(present / self.shape_inflation - 1, 0.0)
        return {
            MISSING: other_share(missing / inflation, every / inflation, absent / inflation, self.rows / inflation),
            TYPE_CHANGE: more_often(others, every, np.zeros(len(present)), self.rows),
            CONSTANT: np.where(is_constant & ~self.was_constant, shrunk, 1.0),
        }

    def effects(self, shares: ByName) -> ByName:
        """How far the shares moved; a window that has become constant counts 1."""
        absent = (self.rows - self.present) / np.maximum(self.rows, 1)
        return {
            MISSING: np.abs(shares[MISSING] - absent),
            TYPE_CHANGE: shares[TYPE_CHANGE],
            CONSTANT: np.ones(len(absent)),
        }

    @staticmethod
    def shares(rows: int, present: np.ndarray, others: np.ndarray) -> ByName:
        """The shares of missing and of other-typed values."""
        return {MISSING: (rows - present - others) / max(rows, 1), TYPE_CHANGE: others / max(rows, 1)}
