"""Slices: parts of an endpoint's rows, by the values of a column or by a comparison, as a setting names them."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from leeway.errors import SettingError
from leeway.profile import NUMERIC, FeatureProfile, Profile

from .columns import Columns
from .detectors.values import category, numbers_of

NOWHERE = -1
_MOST_VALUES = 20
_QUARTERS = (0.25, 0.5, 0.75)
_COMPARISON = re.compile(r"\s*(.+?)\s*(<=|>=|==|!=|<|>|=)\s*(.+?)\s*")
_OPERATORS: dict[str, Callable] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "=": operator.eq,
    "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Slicing:
    """One way to part rows: each row is in one slice of `names`, or in none.

    `of` gives the slice of each row of some columns, as an index into `names`, NOWHERE for none; int8, shape (n,).
    """

    names: Sequence[str]
    of: Callable[[Columns, int], np.ndarray]


def slicings(text: str, profile: Profile) -> list[Slicing]:
    """What `slices` names (parts with ; between them), against the features of a profile; SettingError where a part
    makes no sense. Parts whose column the profile does not have are left out: another deployment may have it.

    A comparison (`period>0.5`, `region=north`) parts rows in two. A column of categories parts them by its 20 most
    frequent values, the rest apart; a numeric one at the quartiles of its reference. Rows without a value are nowhere.
    """
    features = {feature.name: feature for feature in profile.features}
    parts = dict.fromkeys(part.strip() for part in text.split(";") if part.strip())
    found = [_parsed(part) for part in parts]
    return [_slicing(features[part.column], part) for part in found if part.column in features]


@dataclass(frozen=True)
class _Part:
    """A column (`sign` is empty), or a comparison of one with a number or a text."""

    text: str
    column: str
    sign: str = ""
    wanted: float | str = ""


def _parsed(text: str) -> _Part:
    found = _COMPARISON.fullmatch(text)
    if found is None:
        return _Part(text, text)
    column, sign, wanted = found[1], found[2], found[3].strip("'\"")
    try:
        return _Part(text, column, sign, float(wanted))
    except ValueError:
        if sign in ("=", "==", "!="):
            return _Part(text, column, sign, wanted)
        raise SettingError(f"slices names {text!r}: text is compared with = and != only, numbers with {sign}") from None


def _slicing(feature: FeatureProfile, part: _Part) -> Slicing:
    if part.sign:
        return _by_comparison(part)
    return _by_quarter(feature) if feature.kind == NUMERIC else _by_value(feature)


def _by_quarter(feature: FeatureProfile) -> Slicing:
    edges = np.unique(np.quantile(np.frombuffer(feature.sample, "<f8"), _QUARTERS)) if feature.sample else np.empty(0)
    bounds = [f"{edge:.6g}" for edge in edges]
    lower = ["", *(f"{bound}<" for bound in bounds)]
    upper = [*(f"<={bound}" for bound in bounds), ""]
    names = [f"{low}{feature.name}{high}" for low, high in zip(lower, upper)]
    if bounds:
        names[-1] = f"{feature.name}>{bounds[-1]}"

    def of(columns: Columns, rows: int) -> np.ndarray:
        values = _numbers(columns, feature.name, rows)
        return np.where(np.isnan(values), NOWHERE, np.searchsorted(edges, values)).astype(np.int8)

    return Slicing(names, of)


def _by_value(feature: FeatureProfile) -> Slicing:
    values = list(feature.categories)[:_MOST_VALUES]
    numbers = {value: i for i, value in enumerate(values)}
    names = [*(f"{feature.name}={value}" for value in values), f"{feature.name}=other"]

    def of(columns: Columns, rows: int) -> np.ndarray:
        found = map(category, columns.get(feature.name, [None] * rows))
        return np.array([NOWHERE if name is None else numbers.get(name, len(values)) for name in found], np.int8)

    return Slicing(names, of)


def _by_comparison(part: _Part) -> Slicing:
    compare, wanted = _OPERATORS[part.sign], part.wanted

    def of(columns: Columns, rows: int) -> np.ndarray:
        if isinstance(wanted, str):
            found = [category(value) for value in columns.get(part.column, [None] * rows)]
            missing, holds = [each is None for each in found], [compare(each, wanted) for each in found]
        else:
            values = _numbers(columns, part.column, rows)
            missing, holds = np.isnan(values), compare(values, wanted)
        return np.where(missing, NOWHERE, np.where(holds, 0, 1)).astype(np.int8)

    return Slicing([part.text, f"not {part.text}"], of)


def _numbers(columns: Columns, name: str, rows: int) -> np.ndarray:
    return numbers_of(columns[name]) if name in columns else np.full(rows, np.nan)
