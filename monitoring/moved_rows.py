"""Tells a change of what rows mean from a change of the rows: what the windows say of a concept alarm."""

from collections.abc import Sequence
from typing import Any

import msgspec

from leeway.record import Position, Verdict

from .performance.loss_table import ERROR_RATE
from .performance.performance_watch import DETECTOR as PERFORMANCE

CONCEPT_ONLY, CONCEPT_AND_DATA, UNKNOWN = "concept", "concept and data", "unknown"
_KEPT = 50


class Window(msgspec.Struct, frozen=True):
    """What was said of one window: where its rows lie, what moved, the error rate that its rows let expect."""

    first: Position
    last: Position
    at: Position
    features: list[str]
    error_rate: float | None = None


class MovedRows:
    """The last windows of one endpoint."""

    def __init__(self) -> None:
        self._windows: list[Window] = []

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Verdicts on windows, in order: that on the data first, that on the performance, if any, after it."""
        for found in verdicts:
            if found.detector != PERFORMANCE:
                self._windows.append(Window(found.first.position, found.last.position, found.at, list(found.features)))
            elif self._windows:
                estimate = found.details["estimates"][ERROR_RATE]["value"]
                self._windows[-1] = msgspec.structs.replace(self._windows[-1], error_rate=estimate)

    def explained(self, alarm: Verdict) -> Verdict:
        """The alarm, its details told what the windows up to it say of its rows.

        `drift` is "concept" where its rows look like the reference, "concept and data" where they moved too, "unknown"
        where no window holds the last of them yet; `moved` names the features, `expected_error_rate` is what the rows
        themselves let expect, if that can be estimated: what lies above it is a change of what rows mean.
        """
        before = [window for window in self._windows if window.at <= alarm.at][-_KEPT:]
        mine = [w for w in before if w.first <= alarm.last.position and w.last >= alarm.first.position]
        moved = sorted({name for window in mine for name in window.features})
        are_all_held = bool(mine) and mine[-1].last >= alarm.last.position
        told: dict[str, Any] = {"drift": CONCEPT_AND_DATA if moved else CONCEPT_ONLY if are_all_held else UNKNOWN}
        rates = [window.error_rate for window in mine if window.error_rate is not None]
        if moved:
            told["moved"] = moved
        if rates:
            told["expected_error_rate"] = sum(rates) / len(rates)
        return msgspec.structs.replace(alarm, details={**alarm.details, **told})

    def forget(self) -> None:
        """Let go of all but the last windows; between batches, so that where these end shows in nothing."""
        del self._windows[:-_KEPT]

    def snapshot(self) -> list[Any]:
        """What to keep."""
        return msgspec.to_builtins(self._windows)

    def restore(self, kept: list[Any]) -> None:
        """As `snapshot` gave it."""
        self._windows = msgspec.convert(kept, list[Window])
