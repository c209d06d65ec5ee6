"""Whether a window of rows comes from where the reference came from."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from leeway.profile import NUMERIC, FeatureProfile, PairProfile, Profile
from leeway.settings import Settings

from .base import BatchDetector
from .benjamini_hochberg import benjamini_hochberg
from .categorical_drift import CategoricalDrift
from .contribution import contribution
from .evidence import (
    CONSTANT,
    CORRELATION,
    LOCATION,
    MISSING,
    OUT_OF_RANGE,
    SHAPE,
    TESTS,
    TYPE_CHANGE,
    UNSEEN,
    Evidence,
)
from .numeric_drift import NumericDrift
from .pairwise import Pairwise
from .window_result import FeatureResult, WindowResult

_STRONGEST = 300.0
# Each test's part of its feature's price; the distribution has most of it, as faults are plain when they are there.
_NUMERIC_PRICES = {
    LOCATION: 0.6, SHAPE: 0.2, CORRELATION: 0.08, MISSING: 0.03, OUT_OF_RANGE: 0.03, TYPE_CHANGE: 0.03, CONSTANT: 0.03,
}  # fmt: skip
_CATEGORICAL_PRICES = {SHAPE: 0.8, MISSING: 0.05, UNSEEN: 0.05, TYPE_CHANGE: 0.05, CONSTANT: 0.05}
_DISTRIBUTION = (LOCATION, SHAPE)

_FEW_ROWS, _MOST_WINDOWS = 200, 8

Columns = Mapping[str, np.ndarray | list]
Parts = list[tuple[np.ndarray, NumericDrift | CategoricalDrift]]


class _Look(NamedTuple):
    """What was found in some rows; arrays are of shape (tests, features)."""

    found: list[tuple[np.ndarray, Evidence]]
    effects: np.ndarray
    priced: np.ndarray
    gated: np.ndarray


class DataDrift(BatchDetector):
    """Tests every feature, and the predictions, for every way in which a column can go astray.

    A feature's p-value is the smallest of its tests' p-values, each divided by the test's part of the price
    (Bonferroni, weighted): numbers .6 location, .2 shape, .08 correlation (see Pairwise: two features that no longer
    go together as they did are both named) and .03 for each of missing, out_of_range, type_change and constant;
    categories .8 shape and .05 for each of missing, unseen, type_change and constant. A test counts only if
    its effect exceeds its gate: the larger of the default (`window.gate_wasserstein`, `window.gate_jensen_shannon`,
    `window.gate_share`) and the largest effect between the reference's own windows. Becoming constant and another
    type have no gate here (nor has the correlation: each pair has its own), nor has a column that was constant and
    varies. What is left goes through Benjamini and Hochberg over features at `window.alpha`. So at most that share of
    windows alarms where nothing moved, and a move that is real but small does not.

    A window that is worth less than 200 independent rows of a feature (it is small, or its rows are correlated) says
    little of it by itself. So `windows` of them, as many as are worth 200 but at most 8, are looked at together as
    well, each look at half the feature's price.

    The predictions are the feature "prediction": numbers for a regression, else categories.
    """

    def __init__(
        self,
        features: Sequence[FeatureProfile],
        prediction: str | None,
        settings: Settings,
        pairs: PairProfile | None = None,
    ):
        self._features, self._prediction, self._alpha = features, prediction, settings.window_alpha
        self._prices = np.array([[_prices(feature).get(test, 0.0) for feature in features] for test in TESTS])
        self._gates = np.array([[_gate(test, feature, settings) for feature in features] for test in TESTS])
        self._parts = _parts(np.arange(len(features)), features, settings, settings.window_rows, pairs)
        worth = np.array([settings.window_rows / max(f.inflation.shape, f.inflation.location) for f in features])
        few = np.flatnonzero(worth < _FEW_ROWS)
        self.windows = min(math.ceil(_FEW_ROWS / worth.min()), _MOST_WINDOWS) if len(few) else 1
        self._long_parts = _parts(few, features, settings, settings.window_rows * self.windows, None)
        self._is_slow = np.isin(np.arange(len(features)), few)

    @classmethod
    def fit(cls, profile: Profile, settings: Settings) -> "DataDrift":
        """Against a profile, with the settings `window.*`."""
        if profile.prediction is None:
            return cls(profile.features, None, settings, profile.pairs)
        return cls([*profile.features, profile.prediction], profile.prediction.name, settings, profile.pairs)

    @property
    def slow_names(self) -> list[str]:
        """The features that several windows are looked at together for."""
        return [feature.name for feature, is_slow in zip(self._features, self._is_slow) if is_slow]

    def score(
        self,
        columns: Columns,
        outputs: np.ndarray | list | None = None,
        probabilities: np.ndarray | list | None = None,
        together: Columns | None = None,
    ) -> WindowResult:
        """Compare one window: columns by name and outputs, each of shape (n,).

        Arrays hold NaN and lists None where a value is missing. A column that is not there is missing throughout;
        without outputs the predictions are not tested. `probabilities` are not looked at. `together` holds the columns
        of `slow_names` (the outputs under the prediction's name) over the last `windows` windows, this one included, or
        as many as there are.
        """
        rows = max([len(column) for column in columns.values()], default=0 if outputs is None else len(outputs))
        if not rows:
            return WindowResult(features={}, alarms=[], statistic=0.0, threshold=_evidence_of(self._alpha))
        given = {**columns, **({} if outputs is None or self._prediction is None else {self._prediction: outputs})}
        missing = np.full(rows, np.nan)
        is_tested = np.array([outputs is not None or f.name != self._prediction for f in self._features])
        newest = self._looked_at(self._parts, given, rows, is_tested)
        if together is None:
            result = self._judge([newest], np.zeros(len(self._features), bool), is_tested)
            return self._told(result, given, missing)
        rows = max(len(column) for column in together.values())
        longer = self._looked_at(self._long_parts, together, rows, is_tested & self._is_slow)
        for look in (newest, longer):  # two looks, each at half the price
            look.priced[:, self._is_slow] = np.minimum(2 * look.priced[:, self._is_slow], 1.0)
            look.gated[:, self._is_slow] = np.minimum(2 * look.gated[:, self._is_slow], 1.0)
        result = self._judge([newest, longer], longer.gated.min(axis=0) < newest.gated.min(axis=0), is_tested)
        return self._told(result, given, missing)

    def _told(self, result: WindowResult, given: Columns, missing: np.ndarray) -> WindowResult:
        """With what the features that alarm look like beside the reference."""
        if not result.alarms:
            return result
        features = dict(result.features)
        for feature in self._features:
            if feature.name in result.alarms:
                found = contribution(feature, given.get(feature.name, missing))
                features[feature.name] = msgspec.structs.replace(features[feature.name], **found._asdict())
        return msgspec.structs.replace(result, features=features)

    def _looked_at(self, parts: Parts, given: Columns, rows: int, is_tested: np.ndarray) -> _Look:
        missing = np.full(rows, np.nan)
        found = [(i, part.score([given.get(self._features[j].name, missing) for j in i], rows)) for i, part in parts]
        p_values, effects = np.ones(self._prices.shape), np.zeros(self._prices.shape)
        for i, evidence in found:
            for row, test in enumerate(TESTS):
                if test in evidence.p_values:
                    p_values[row, i], effects[row, i] = evidence.p_values[test], evidence.effects[test]
        priced = self._priced(p_values)
        return _Look(found, effects, priced, np.where((effects > self._gates) & is_tested, priced, 1.0))

    def _judge(self, looks: Sequence[_Look], is_longer: np.ndarray, is_tested: np.ndarray) -> WindowResult:
        """Adjust what was found; `is_longer` says of each feature whether the second look has the stronger evidence."""
        effects, priced, gated = (
            np.where(is_longer, longer, newest) for newest, longer in zip(looks[0][1:], looks[-1][1:])
        )
        adjusted = benjamini_hochberg(gated.min(axis=0))
        features: dict[str, FeatureResult] = {}
        for look, chosen, windows in zip(looks, (~is_longer, is_longer), (1, self.windows)):
            for i, evidence in look.found:
                features |= self._results(i, evidence, chosen, windows, priced, gated, adjusted)
        return WindowResult(
            features={f.name: features[f.name] for f, counts in zip(self._features, is_tested) if counts},
            alarms=self._alarms(gated, adjusted, effects),
            statistic=_evidence_of(float(adjusted.min())),
            threshold=_evidence_of(self._alpha),
        )

    def _priced(self, p_values: np.ndarray) -> np.ndarray:
        """Each p-value over its test's part of the price, shape (tests, features); 1 for a test that has none."""
        priced = np.ones(p_values.shape)
        np.divide(p_values, self._prices, out=priced, where=self._prices > 0)
        return np.where(np.isnan(priced), 1.0, np.minimum(priced, 1.0))

    def _alarms(self, gated: np.ndarray, adjusted: np.ndarray, effects: np.ndarray) -> list[str]:
        """By p-value; where p-values are too small to tell apart, by how far the gate is exceeded."""
        excess = np.where(gated < 1, effects / np.maximum(self._gates, 0.01), 0.0).max(axis=0)
        order = np.lexsort((-excess, gated.min(axis=0)))
        return [self._features[j].name for j in order if adjusted[j] <= self._alpha]

    def _results(
        self,
        i: np.ndarray,
        evidence: Evidence,
        chosen: np.ndarray,
        windows: int,
        priced: np.ndarray,
        gated: np.ndarray,
        adjusted: np.ndarray,
    ) -> dict[str, FeatureResult]:
        """The results of one kind of feature, by name, where this evidence was chosen."""
        metrics = {name: values.tolist() for name, values in evidence.metrics.items()}
        shares = {name: values.tolist() for name, values in evidence.shares.items()}
        effects = evidence.effects[SHAPE].tolist()
        is_constant = evidence.is_constant.tolist()
        return {
            self._features[j].name: FeatureResult(
                kind=self._features[j].kind,
                windows=windows,
                p_value=float(priced[:, j].min()),
                adjusted=float(adjusted[j]),
                effect=effects[k],
                gate=float(self._gates[TESTS.index(SHAPE), j]),
                metrics={name: values[k] for name, values in metrics.items()},
                missing_rate=shares[MISSING][k],
                out_of_range=shares[OUT_OF_RANGE][k],
                unseen=shares[UNSEEN][k],
                type_change=shares[TYPE_CHANGE][k],
                constant=is_constant[k],
                partner=evidence.partners[k],
                correlation=evidence.correlations[k][0],
                correlation_before=evidence.correlations[k][1],
                causes=self._causes(gated[:, j]) if adjusted[j] <= self._alpha else [],
            )
            for k, j in enumerate(i.tolist())
            if chosen[j]
        }

    def _causes(self, gated: np.ndarray) -> list[str]:
        """The tests of a feature that alarms which would alarm by themselves, the strongest first."""
        return [TESTS[row] for row in np.argsort(gated, kind="stable") if gated[row] <= self._alpha]


def _parts(
    chosen: np.ndarray, features: Sequence[FeatureProfile], settings: Settings, rows: int, pairs: PairProfile | None
) -> Parts:
    """The tests of the chosen features, numbers and others beside each other, for windows of so many rows."""
    is_numeric = np.array([features[j].kind == NUMERIC for j in chosen], bool)
    numbers, others = chosen[is_numeric], chosen[~is_numeric]
    parts: Parts = []
    if len(numbers):
        some = [features[j] for j in numbers]
        pairwise = None if pairs is None else Pairwise(pairs, some, settings.window_gate_correlation)
        parts.append((numbers, NumericDrift(some, rows, pairwise)))
    if len(others):
        parts.append((others, CategoricalDrift([features[j] for j in others], rows)))
    return parts


def _evidence_of(p_value: float) -> float:
    """-log10, at most 300."""
    return -math.log10(max(p_value, 10**-_STRONGEST)) + 0.0


def _prices(feature: FeatureProfile) -> dict[str, float]:
    return _NUMERIC_PRICES if feature.kind == NUMERIC else _CATEGORICAL_PRICES


def _gate(test: str, feature: FeatureProfile, settings: Settings) -> float:
    """What the effect of a test must exceed."""
    if test in (CONSTANT, TYPE_CHANGE, CORRELATION) or (feature.constant and test != MISSING):
        return 0.0
    if test not in _DISTRIBUTION:
        return max(settings.window_gate_share, getattr(feature.own, test))
    is_numeric = feature.kind == NUMERIC
    default = settings.window_gate_wasserstein if is_numeric else settings.window_gate_jensen_shannon
    return max(default, feature.own.distribution)
