"""What was found in one window about each of several columns."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

LOCATION, SHAPE, MISSING, OUT_OF_RANGE, UNSEEN, TYPE_CHANGE, CONSTANT, CORRELATION = TESTS = (
    "location",
    "shape",
    "missing",
    "out_of_range",
    "unseen",
    "type_change",
    "constant",
    "correlation",
)

ByName = dict[str, np.ndarray]


@dataclass(frozen=True)
class Evidence:
    """Columns of one kind beside each other, every array of shape (m,).

    `metrics` by name; `p_values` and `effects` by test (of TESTS; one that does not apply is left out); `shares` of
    missing, out-of-range, unseen and other-typed values in the window; `is_constant` says whether all its values are
    equal. `partners` says with which other column each one's correlation moved most, if any was compared, and
    `correlations` is the (window's, reference's) correlation with it.
    """

    metrics: ByName
    p_values: ByName
    effects: ByName
    shares: ByName
    is_constant: np.ndarray
    partners: list[str]
    correlations: list[tuple[float, float]]


def with_dof(p_values: np.ndarray, dof: np.ndarray) -> np.ndarray:
    """P-values that rest on a variance known with `dof` degrees of freedom, from those that take it as known.

    The p-value is read as one of a two-sided normal test and looked up in Student's t.
    """
    return 2 * stdtr(dof, ndtri(np.minimum(p_values, 1.0) / 2))
