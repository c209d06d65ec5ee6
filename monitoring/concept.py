"""Concept drift of one endpoint: the errors of its labelled rows, in the order in which truth came, against its level.

Where the profile has no error level, the first rows set it (`warming`), and watching begins after them. Beside the
default detector watch those that `detector.also` names, and one for each slice that `slices` names.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from leeway.errors import SettingError
from leeway.profile import ErrorLevel, Profile
from leeway.record import Verdict
from leeway.settings import Settings

from .answers import Answers
from .calibrate import PRESETS, Calibration
from .classics import classics
from .error_watch import KIND, ErrorWatch, Kept, Stretch
from .label_values import Completed
from .learning_watch import LearningWatch
from .learnt_level import KeptLevel
from .packing import narrow
from .reference import error_level_from, error_of
from .series import CONCEPT, CONCEPT_THRESHOLD, ERROR, Points
from .slice_watch import KeptSlice, SliceWatch
from .slices import slicings

_VERSION = 2


def check(settings: Settings) -> None:
    """SettingError where a setting of the concept detectors makes no sense."""
    if settings.detector_preset not in PRESETS:
        raise SettingError(f"detector.preset={settings.detector_preset!r}: expected {' or '.join(PRESETS)}")
    classics(settings)
    slicings(settings.slices, Profile(task="", rows=0, window_rows=0, features=[]))


class Standing(msgspec.Struct):
    """Where a watch stands: the errors while it warms up, its detectors by name, what the default one has learnt, its
    slices. Version 1, which had no number, kept the default detector in `detector`, `stretch` and `rise`."""

    version: int = 1
    warming: list[int] = []
    watches: dict[str, Kept] = {}
    learnt: KeptLevel = msgspec.field(default_factory=KeptLevel)
    slices: dict[str, KeptSlice] = {}
    detector: dict[str, Any] | None = None
    stretch: Stretch = msgspec.field(default_factory=Stretch)
    rise: Stretch = msgspec.field(default_factory=Stretch)


class ConceptWatch:
    """The concept detectors of one endpoint."""

    def __init__(self, endpoint: str, shard: int, profile: Profile, settings: Settings):
        self._endpoint, self._shard, self._settings = endpoint, shard, settings
        self._error_of = error_of(profile)
        self._warming: list[int] = []
        self._reference: ErrorLevel | None = None
        self._watches: dict[str, LearningWatch | ErrorWatch] = {}
        self._slices = SliceWatch(endpoint, shard, profile, settings)
        if profile.errors is not None:
            self._begin(profile.errors)

    @property
    def is_warming(self) -> bool:
        return not self._watches

    def refer_to(self, profile: Profile) -> None:
        """Watch against another error level from now on; without one, the next labelled rows set it."""
        self._warming, self._watches = [], {}
        if profile.errors is not None:
            self._begin(profile.errors)

    def forget_slice(self, name: str) -> None:
        """Let the next labelled rows of a slice set its level."""
        self._slices.forget(name)

    def see(self, answers: Answers) -> None:
        """Rows came in."""
        self._slices.see(answers)

    def learn(self, completed: Sequence[Completed], points: Points) -> list[Verdict]:
        """Take rows whose truth came; the verdicts that they complete."""
        verdicts: list[Verdict] = []
        errors, clocks = self._errors(completed), [item.at.clock for item in completed]
        if self._slices:
            for item, error in zip(completed, errors.tolist()):
                self._slices.take(item, error, verdicts)
        for start, stop in _seconds(clocks):
            wrong = int(np.count_nonzero(errors[start:stop]))
            points.count(ERROR, self._endpoint, clocks[start], stop - start, wrong)
        start = 0
        while self.is_warming and start < len(completed):
            self._warm(int(errors[start]))
            start += 1
        if start < len(completed):
            self._watch(completed[start:], errors[start:], clocks[start:], points, verdicts)
        return verdicts

    def snapshot(self) -> dict[str, Any]:
        """What to keep of it, besides `changes`."""
        watches = {name: watch.snapshot() for name, watch in self._watches.items()}
        learnt = KeptLevel() if self.is_warming else self._watches[KIND].learnt
        standing = Standing(_VERSION, self._warming, watches, learnt, self._slices.snapshot())
        return msgspec.to_builtins(standing, builtin_types=(bytes,))

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        return self._slices.changes()

    def restore(self, kept: dict[str, Any], stored: Mapping[str, bytes]) -> None:
        """As `snapshot` gave it, and as the state holds it. A detector that was not there then begins now."""
        standing = msgspec.convert(kept, Standing)
        if standing.version == 1 and standing.detector is not None:
            standing.watches[KIND] = Kept(standing.detector, standing.stretch, standing.rise)
        self._warming = standing.warming
        if standing.watches and self.is_warming:
            self._end_warming(standing.learnt)
        elif standing.learnt.level is not None or standing.learnt.learnt or standing.learnt.pending:
            self._begin(self._reference, standing.learnt)
        for name, each in standing.watches.items():
            if name in self._watches:
                self._watches[name].restore(each)
        self._slices.restore(standing.slices, stored)

    def _errors(self, completed: Sequence[Completed]) -> np.ndarray:
        outputs, truths = [item.output for item in completed], [item.truth for item in completed]
        try:
            return self._error_of(outputs, truths)
        except OverflowError:  # whole numbers beyond the largest float
            return self._error_of(narrow(outputs), narrow(truths))

    def _watch(
        self,
        completed: Sequence[Completed],
        errors: np.ndarray,
        clocks: Sequence[int],
        points: Points,
        verdicts: list[Verdict],
    ) -> None:
        for name, watch in self._watches.items():
            if name != KIND:
                watch.take_many(completed, errors, verdicts)
                continue
            statistics, thresholds = (each.tolist() for each in watch.take_many(completed, errors, verdicts))
            for start, stop in _seconds(clocks):
                for series, values in ((CONCEPT, statistics[start:stop]), (CONCEPT_THRESHOLD, thresholds[start:stop])):
                    points.extent(series, self._endpoint, clocks[start], min(values), max(values), stop - start)

    def _warm(self, error: int) -> None:
        self._warming.append(error)
        if len(self._warming) >= self._settings.warming_rows:
            self._end_warming()

    def _end_warming(self, learnt: KeptLevel | None = None) -> None:
        self._begin(error_level_from(np.array(self._warming, dtype=float)), learnt)

    def _begin(self, reference: ErrorLevel, learnt: KeptLevel | None = None) -> None:
        self._reference = reference
        default = LearningWatch(self._endpoint, self._shard, reference, self._settings, learnt or KeptLevel())
        self._watches = {KIND: default}
        if further := classics(self._settings):
            cusum, details = Calibration(reference, self._settings).detector, {"p0": reference.level}
            for name, detector in further.items():
                self._watches[name] = ErrorWatch(self._endpoint, self._shard, name, detector, cusum, details)


def _seconds(clocks: Sequence[int]) -> list[tuple[int, int]]:
    """The first row and the one after the last of each second; the clock never runs back."""
    if not clocks or clocks[0] == clocks[-1]:
        return [(0, len(clocks))] if clocks else []
    return list(pairwise([0, *(np.flatnonzero(np.diff(clocks)) + 1).tolist(), len(clocks)]))
