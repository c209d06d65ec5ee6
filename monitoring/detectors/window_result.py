"""What a window of rows was found to be."""

from typing import Any

import msgspec


class FeatureResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One feature in one window.

    `windows` is how many windows were looked at together, this one the last. `metrics` by name: psi, jensen_shannon,
    hellinger, total_variation, chi_square; for numbers ks and wasserstein too. `p_value` is that of the feature (see
    DataDrift); `adjusted` the one that is held against alpha: after the gates, by Benjamini and Hochberg. `effect` is
    how far the distribution moved and `gate` what it must exceed. `missing_rate`, `out_of_range`, `unseen` and
    `type_change` are shares of the window. `constant`: all its values are equal. `partner` is the feature with which
    its correlation moved most, where it moved by more than its gate, and `correlation` that in the window,
    `correlation_before` the reference's. `causes` names the tests that alarm, the strongest first. Of a
    feature that alarms, `rows` are those of the window that contribute most (as indices), `now` and `before` quantiles
    or shares in the window and in the reference.
    """

    kind: str
    windows: int
    p_value: float
    adjusted: float
    effect: float
    gate: float
    metrics: dict[str, float]
    missing_rate: float
    out_of_range: float
    unseen: float
    type_change: float
    constant: bool
    partner: str
    correlation: float
    correlation_before: float
    causes: list[str]
    rows: list[int] = []
    now: dict[str, float] = {}
    before: dict[str, float] = {}


class WindowResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One window against the reference.

    `alarms` names the features that moved, the strongest evidence first. `statistic` is -log10 of the smallest
    adjusted p-value (at most 300), `threshold` is -log10 of alpha.
    """

    features: dict[str, FeatureResult]
    alarms: list[str]
    statistic: float
    threshold: float

    def details(self) -> dict[str, Any]:
        """Everything about every feature, as JSON values."""
        return msgspec.to_builtins(self.features)
