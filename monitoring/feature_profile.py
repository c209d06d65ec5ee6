"""What one column of the reference is like."""

from collections.abc import Mapping

import numpy as np

from leeway.profile import BOOLEAN, CATEGORICAL, NUMERIC, FeatureProfile, Inflation

from .detectors.autocorrelation import inflation
from .detectors.values import TEXT, category, counted, numbers_of

_SAMPLE = 5_000
_BINS = 10
_CATEGORIES = 1_000
_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
_FREQUENT = 10
_LONGEST = 50_000


def feature_profile(name: str, column: np.ndarray | list, kind: str | None = None) -> FeatureProfile:
    """The profile of a column, shape (n,), its rows in time order.

    Missing values are NaN or None. Unless a kind is given, a column with any text is categorical, numbers with two
    distinct values are boolean, and other numbers numeric. `spread` is the standard deviation once the outermost
    hundredth at either end is drawn in, so that a heavy tail does not hide a move of the rest; where that is 0, the
    plain one. Histograms have ten bins of equal counts, fewer where values tie. At most 1,000 categories are kept.
    """
    categories, types = counted(column)
    kind = kind or (CATEGORICAL if TEXT in types else BOOLEAN if len(categories) == 2 else NUMERIC)
    present = sum(categories.values())
    about = {
        "name": name,
        "kind": kind,
        "rows": len(column),
        "constant": len(categories) < 2,
        "types": sorted(types),
    }
    if kind == NUMERIC:
        return FeatureProfile(**about, **_numeric(numbers_of(column)))
    return FeatureProfile(**about, missing=len(column) - present, **_categorical(column, categories, present))


def _numeric(values: np.ndarray) -> dict:
    in_time = values[np.isfinite(values)]
    missing = {"missing": len(values) - len(in_time)}
    if not len(in_time):
        return missing
    ordered = np.sort(in_time)
    edges = np.unique(ordered[(np.arange(1, _BINS) * len(ordered)) // _BINS])
    upto = ordered.searchsorted(edges, "right")
    return missing | {
        "edges": edges.tolist(),
        "counts": np.diff(upto, prepend=0, append=len(ordered)).tolist(),
        "sample": _sampled(ordered).astype("<f8").tobytes(),
        "low": float(ordered[0]),
        "high": float(ordered[-1]),
        "spread": _spread(ordered),
        "mode_share": float(np.unique(ordered, return_counts=True)[1].max() / len(ordered)),
        "inflation": Inflation(
            location=float(inflation(_mid_ranks(in_time, ordered))[0]),
            shape=float(inflation(np.array([in_time <= q for q in np.quantile(ordered, _LEVELS)])).max()),
            missing=_of_missing(np.isnan(values)),
        ),
    }


def _categorical(column: np.ndarray | list, categories: Mapping[str, int], present: int) -> dict:
    ordered = sorted(categories.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ordered[:_CATEGORIES])
    names = [category(value) for value in column[-_LONGEST:]]
    return {
        "categories": kept,
        "rest": present - sum(kept.values()),
        "borderline": _borderline(ordered),
        "mode_share": max(categories.values(), default=0) / max(present, 1),
        "inflation": Inflation(
            shape=_of_categories([name for name in names if name is not None], list(kept)[:_FREQUENT]),
            missing=_of_missing(np.array([name is None for name in names], bool)),
        ),
    }


def _borderline(ordered: list[tuple[str, int]]) -> int:
    """Rows without any one of which its category would not be kept, of (category, rows), the most frequent first."""
    kept = ordered[:_CATEGORIES]
    if len(ordered) <= _CATEGORIES:
        return sum(n for _, n in kept if n == 1)
    name, rows = ordered[_CATEGORIES]
    return sum(n for mine, n in kept if (1 - n, mine) > (-rows, name))


def _sampled(ordered: np.ndarray) -> np.ndarray:
    """Evenly spaced order statistics."""
    if len(ordered) <= _SAMPLE:
        return ordered
    return ordered[((np.arange(_SAMPLE) + 0.5) / _SAMPLE * len(ordered)).astype(int)]


def _spread(ordered: np.ndarray) -> float:
    if ordered[0] == ordered[-1]:
        return 0.0
    low, high = ordered[len(ordered) // 100], ordered[-1 - len(ordered) // 100]
    return float(np.clip(ordered, low, high).std() or ordered.std())


def _mid_ranks(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    return (ordered.searchsorted(values) + ordered.searchsorted(values, "right")) / 2.0


def _of_missing(is_missing: np.ndarray) -> float:
    return float(inflation(is_missing)[0])


def _of_categories(names: list[str], frequent: list[str]) -> float:
    """The mean over categories, those with the larger variance counting more (Rao and Scott's)."""
    if not names or not frequent:
        return 1.0
    codes = {name: i for i, name in enumerate(frequent)}
    indices = np.array([codes.get(name, -1) for name in names])
    indicators = np.array([indices == i for i in range(len(frequent))])
    weights = 1 - indicators.mean(axis=1)
    return float(np.average(inflation(indicators), weights=weights)) if weights.sum() else 1.0
