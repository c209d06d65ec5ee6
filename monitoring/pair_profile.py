"""How the numeric columns of the reference go together."""

from collections.abc import Sequence

import numpy as np

from leeway.profile import NUMERIC, FeatureProfile, PairProfile

from .detectors.autocorrelation import inflation
from .detectors.pairwise import correlations, ends_of
from .detectors.values import numbers_of

_MOST = 200
_LEAST_ROWS = 100
_LEAST_VARIANCE = 0.5


def pair_profile(
    columns: dict[str, np.ndarray | list], features: Sequence[FeatureProfile], window_rows: int
) -> PairProfile | None:
    """Of at most the first 200 numeric columns that vary, in time order; None where there are not two, or less than
    100 rows."""
    chosen = [feature for feature in features if feature.kind == NUMERIC and not feature.constant][:_MOST]
    if len(chosen) < 2 or chosen[0].rows < _LEAST_ROWS:
        return None
    values = np.array([_drawn_in(numbers_of(columns[feature.name]), feature) for feature in chosen])
    found, rows = correlations(values)
    return PairProfile(
        names=[feature.name for feature in chosen],
        correlation=_upper(found),
        variance=_upper(_variance(values, found, rows)),
        own=_upper(_own(values, found, window_rows)),
        rows=_upper(rows),
        inflation=inflation(_standardised(values) ** 2).tolist(),
    )


def _drawn_in(values: np.ndarray, feature: FeatureProfile) -> np.ndarray:
    return np.clip(np.where(np.isfinite(values), values, np.nan), *ends_of(feature))


def _standardised(values: np.ndarray) -> np.ndarray:
    """Mean 0 and spread 1, what is missing at the mean."""
    centred = values - np.nanmean(values, axis=1, keepdims=True)
    spread = np.nanstd(values, axis=1, keepdims=True)
    return np.nan_to_num(centred / np.where(spread > 0, spread, 1.0))


def _variance(values: np.ndarray, r: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The variance of Fisher's z of one row, from fourth moments over the rows that have both; 1 for normal columns."""
    z = _standardised(values)
    n = np.maximum(rows, 1)
    both, thrice = (z * z) @ (z * z).T / n, (z**3) @ z.T / n
    fourth = (z**4).sum(axis=1) / np.maximum((~np.isnan(values)).sum(axis=1), 1)
    of_r = both * (1 + r * r / 2) + r * r * (fourth[:, None] + fourth) / 4 - r * (thrice + thrice.T)
    return np.maximum(of_r / (1 - r * r) ** 2, _LEAST_VARIANCE)


def _own(values: np.ndarray, whole: np.ndarray, window_rows: int) -> np.ndarray:
    """The largest difference of Fisher's z between the reference's own windows and all of it."""
    largest = np.zeros_like(whole)
    for start in range(0, values.shape[1] - window_rows + 1, window_rows):
        found, _ = correlations(values[:, start : start + window_rows])
        largest = np.maximum(largest, np.abs(np.arctanh(found) - np.arctanh(whole)))
    return largest


def _upper(matrix: np.ndarray) -> bytes:
    return matrix[np.triu_indices(len(matrix), 1)].astype("<f4").tobytes()
