"""The features of an endpoint in its last window, the strongest evidence first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leeway.profile import FeatureProfile, Profile
from leeway.record import Verdict

from .histogram import Histogram, histogram_of
from .source import Source


@dataclass(frozen=True)
class FeatureView:
    """`found` is what the window's verdict says of it (see detectors/window_result.py); `notes` say in words what is
    out of order. `histogram` is None where its values are not in the archive."""

    name: str
    reference: FeatureProfile
    found: Mapping[str, Any]
    moved: bool
    notes: list[str]
    histogram: Histogram | None

    @property
    def evidence(self) -> tuple[bool, float, float]:
        """What moved first has the largest."""
        gates = self.found.get("effect", 0.0) / (self.found.get("gate") or 0.1)
        return self.moved, -self.found.get("adjusted", 1.0), gates


def features_of(
    source: Source, profile: Profile, window: Verdict, key: str, only: Sequence[str] | None = None
) -> list[FeatureView]:
    """In a data-drift window; `only` chooses some of them."""
    chosen = None if only is None else tuple(only)
    return source.of_window(window, ("features", chosen), lambda: _views(source, profile, window, key, chosen))


def _views(
    source: Source, profile: Profile, window: Verdict, key: str, only: Sequence[str] | None
) -> list[FeatureView]:
    names = [feature.name for feature in profile.features]
    profiles = {feature.name: feature for feature in profile.features}
    if profile.prediction is not None:
        profiles[profile.prediction.name] = profile.prediction
    wanted = [name for name in profiles if only is None or name in only]
    columns = tuple(f"x_{name}" if name in names else "output" for name in wanted)
    rows = source.rows_of(window, key, columns)
    views = []
    for name, column in zip(wanted, columns):
        found = window.details.get(name, {})
        values = _values(rows[column]) if column in rows.column_names else None
        histogram = None if values is None else histogram_of(profiles[name], values)
        moved = name in window.features
        views.append(FeatureView(name, profiles[name], found, moved, _notes(profiles[name], found), histogram))
    return sorted(views, key=lambda view: view.evidence, reverse=True)


def _values(column: pa.ChunkedArray) -> Any:
    """Numbers as an array, missing ones NaN; anything else as a list."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.to_numpy()
    return column.to_pylist()


def _notes(reference: FeatureProfile, found: Mapping[str, Any]) -> list[str]:
    notes = []
    if found.get("constant") and not reference.constant:
        notes.append("constant")
    if (missing := found.get("missing_rate", 0.0)) or reference.missing_rate:
        notes.append(f"missing {missing:.1%} (reference {reference.missing_rate:.1%})")
    for name, text in (
        ("unseen", "unseen categories"),
        ("out_of_range", "out of range"),
        ("type_change", "other type"),
    ):
        if found.get(name, 0.0) > 0:
            notes.append(f"{text} {found[name]:.1%}")
    return notes
