"""Concept drift of one endpoint: the errors of its labelled rows, in the order in which truth came, against its level.

Every 500 labelled rows end a stretch with a verdict (no detection; statistic: the highest in it), so that a chart can
be drawn by row. An alarm is a verdict of its own, over the rows since the statistic last was zero. Where the profile
has no error level, the first rows set it (`warming`), and watching begins after them.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
import numpy as np

from leeway.profile import Profile
from leeway.record import Position, RowReference, Verdict
from leeway.settings import Settings

from .calibrate import cusum_for
from .detectors.bernoulli_cusum import BernoulliCusum
from .label_values import Completed
from .packing import narrow
from .reference import error_level_from, error_of
from .series import CONCEPT, CONCEPT_THRESHOLD, ERROR, Points
from .verdicts import DETECTED, NO_DETECTION, verdict

STRETCH_ROWS = 500
_DETECTOR = "concept_drift"


class Stretch(msgspec.Struct):
    """Labelled rows in the order of their truth; `first` names the first of them."""

    rows: int = 0
    errors: int = 0
    highest: float = 0.0
    first: RowReference | None = None


class Standing(msgspec.Struct):
    """Where a watch stands: the errors while it warms up, its detector, the open stretch, the rows since zero."""

    warming: list[int]
    detector: dict[str, Any] | None
    stretch: Stretch
    rise: Stretch


class ConceptWatch:
    """The concept detector of one endpoint."""

    def __init__(self, endpoint: str, shard: int, profile: Profile, settings: Settings):
        self._endpoint, self._shard, self._profile, self._settings = endpoint, shard, profile, settings
        self._error_of = error_of(profile)
        self._warming: list[int] = []
        self._stretch, self._rise = Stretch(), Stretch()
        self._detector: BernoulliCusum | None = None
        if profile.errors is not None:
            self._detector, self._details = cusum_for(profile, settings)

    @property
    def is_warming(self) -> bool:
        return self._detector is None

    def learn(self, completed: Sequence[Completed], points: Points) -> list[Verdict]:
        """Take rows whose truth came; the verdicts that they complete."""
        verdicts: list[Verdict] = []
        for clock, same in groupby(zip(completed, self._errors(completed)), key=lambda pair: pair[0].at.clock):
            self._learn_second(clock, list(same), points, verdicts)
        return verdicts

    def snapshot(self) -> dict[str, Any]:
        """What to keep of it."""
        detector = None if self._detector is None else self._detector.snapshot()
        return msgspec.to_builtins(Standing(self._warming, detector, self._stretch, self._rise))

    def restore(self, kept: dict[str, Any]) -> None:
        """As `snapshot` gave it."""
        standing = msgspec.convert(kept, Standing)
        self._warming, self._stretch, self._rise = standing.warming, standing.stretch, standing.rise
        if standing.detector is not None:
            if self._detector is None:
                self._end_warming()
            self._detector.restore(standing.detector)

    def _errors(self, completed: Sequence[Completed]) -> list[int]:
        outputs, truths = [item.output for item in completed], [item.truth for item in completed]
        try:
            return self._error_of(outputs, truths).tolist()
        except OverflowError:  # whole numbers beyond the largest float
            return self._error_of(narrow(outputs), narrow(truths)).tolist()

    def _learn_second(
        self, clock: int, pairs: list[tuple[Completed, int]], points: Points, verdicts: list[Verdict]
    ) -> None:
        points.count(ERROR, self._endpoint, clock, len(pairs), sum(error for _, error in pairs))
        statistics: list[float] = []
        for item, error in pairs:
            if self._detector is None:
                self._warm(error)
            else:
                statistics.append(self._watch(item, error, verdicts))
        if statistics:
            threshold = self._detector.threshold
            points.extent(CONCEPT, self._endpoint, clock, min(statistics), max(statistics), len(statistics))
            points.extent(CONCEPT_THRESHOLD, self._endpoint, clock, threshold, threshold, len(statistics))

    def _warm(self, error: int) -> None:
        self._warming.append(error)
        if len(self._warming) >= self._settings.warming_rows:
            self._end_warming()

    def _end_warming(self) -> None:
        level = error_level_from(np.array(self._warming, dtype=float))
        self._detector, self._details = cusum_for(msgspec.structs.replace(self._profile, errors=level), self._settings)

    def _watch(self, item: Completed, error: int, verdicts: list[Verdict]) -> float:
        """Take one row; the statistic after it."""
        is_alarm = self._detector.update(error)
        statistic = self._detector.statistic
        for stretch in (self._stretch, self._rise):
            if stretch.first is None:
                stretch.first = self._row(item)
            stretch.rows += 1
            stretch.errors += error
            if statistic > stretch.highest:
                stretch.highest = statistic
        if is_alarm:
            verdicts.append(self._verdict(item, DETECTED, self._rise))
        if is_alarm or statistic <= 0:
            self._rise = Stretch()
        if self._stretch.rows == STRETCH_ROWS:
            verdicts.append(self._verdict(item, NO_DETECTION, self._stretch))
            self._stretch = Stretch()
        return statistic

    def _row(self, item: Completed) -> RowReference:
        entry = item.entry
        return RowReference(Position(self._shard, entry.offset, entry.index), entry.id, item.row)

    def _verdict(self, item: Completed, status: int, over: Stretch) -> Verdict:
        return verdict(
            endpoint=self._endpoint,
            detector=_DETECTOR,
            status=status,
            at=Position(self._shard, item.at.offset, item.at.index),
            appended=item.at.clock,
            rows=over.rows,
            first=over.first,
            last=self._row(item),
            statistic=over.highest,
            threshold=self._detector.threshold,
            details={"errors": over.errors, "error_rate": over.errors / over.rows, **self._details},
        )
