"""What a column that moved looks like beside its reference, and which rows make the difference."""

from typing import NamedTuple

import numpy as np

from leeway.profile import NUMERIC, FeatureProfile

from .values import category, numbers_of

_ROWS, _CATEGORIES = 5, 5
_LEVELS = {"10 %": 0.1, "median": 0.5, "90 %": 0.9}
_FLOOR = 1e-4


class Contribution(NamedTuple):
    """`rows` of the window that contribute most, as indices, the strongest first; `now` and `before` are quantiles of
    numbers, or shares of the categories that moved most, "missing" among them."""

    rows: list[int]
    now: dict[str, float]
    before: dict[str, float]


def contribution(feature: FeatureProfile, column: np.ndarray | list) -> Contribution:
    """Of a window of rows, shape (n,).

    A row contributes log(q / p), where its bin, or category, has the share q in the window and p in the reference; of
    rows with equal contributions those farthest from the reference's median come first.
    """
    names, before = _shares_of(feature)
    codes, far = _numeric(feature, column) if feature.kind == NUMERIC else _categorical(column, names)
    now = np.bincount(codes, minlength=len(names)) / max(len(codes), 1)
    gain = np.log(np.maximum(now, _FLOOR) / np.maximum(before, _FLOOR))
    rows = np.lexsort((-far, -gain[codes]))[:_ROWS].tolist()
    if feature.kind == NUMERIC and feature.sample:
        return Contribution(rows, *_quantiles(feature, column))
    most = np.argsort(-np.abs(now - before), kind="stable")[:_CATEGORIES].tolist()
    return Contribution(rows, {names[i]: float(now[i]) for i in most}, {names[i]: float(before[i]) for i in most})


def _shares_of(feature: FeatureProfile) -> tuple[list[str], np.ndarray]:
    """The bins or categories of the reference with their shares, then what is in none of them, then missing values."""
    counts = feature.categories if feature.kind != NUMERIC else {str(i): n for i, n in enumerate(feature.counts)}
    names = [*counts, "others", "missing"]
    return names, np.array([*counts.values(), feature.rest, feature.missing], float) / max(feature.rows, 1)


def _numeric(feature: FeatureProfile, column: np.ndarray | list) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each value, beyond the reference's range counting as none of them; how far it is from the middle."""
    values, bins = numbers_of(column), len(feature.counts)
    is_known = np.isfinite(values)
    codes = np.where(is_known, np.searchsorted(feature.edges, values), bins + 1)
    if not bins:
        return np.where(is_known, 0, 1), np.zeros(len(values))
    codes = np.where(is_known & ((values < feature.low) | (values > feature.high)), bins, codes)
    middle = np.frombuffer(feature.sample, "<f8")[len(feature.sample) // 16]
    return codes, np.where(is_known, np.abs(values - middle), 0.0)


def _categorical(column: np.ndarray | list, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    places = {name: i for i, name in enumerate(names[:-2])}
    others, missing = len(names) - 2, len(names) - 1
    found = map(category, column.tolist() if isinstance(column, np.ndarray) else column)
    codes = np.array([missing if name is None else places.get(name, others) for name in found], int)
    return codes, np.zeros(len(codes))


def _quantiles(feature: FeatureProfile, column: np.ndarray | list) -> tuple[dict[str, float], dict[str, float]]:
    values = numbers_of(column)
    known, sample = values[np.isfinite(values)], np.frombuffer(feature.sample, "<f8")
    rate = {"missing": 1 - len(known) / max(len(values), 1)}, {"missing": feature.missing_rate}
    now, before = (
        {name: float(np.quantile(part, level)) for name, level in _LEVELS.items()} if len(part) else {}
        for part in (known, sample)
    )
    return now | rate[0], before | rate[1]
