"""Concept drift inside the slices of an endpoint.

Price: each row is in at most one slice of a slicing, and each slice's detector has the price of `detector.arl0` times
the number of slicings, in its own rows. A slice with a share w of the rows then has its false alarms at a rate of
w / (arl0 x slicings) a row of the endpoint; over the slices of a slicing the shares sum to at most 1, over all slicings
the rates to at most 1 / arl0, whatever the shares and however the slices' errors hang together (the expectation of a
sum). So the first false alarms of all slices together come at one in `detector.arl0` rows of the endpoint.

Why not e-BH over e-processes (Wang and Ramdas, 2022): it controls the share of false ones among the slices that are
named at one time, which is no rate of false alarms that a price could set; and where one slice of m has moved it is
Bonferroni, a threshold m times as high, while here the factor is the number of slicings only. Measured by
tests/bench/bench_detection.py --bars slices.

Where a level rests on few rows and was found too low, alarms follow the first one until it is cleared or decided about.

The first `slices.rows` labelled rows of a slice set its level; slices with fewer are not judged.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from leeway.profile import ErrorLevel, Profile
from leeway.record import Verdict
from leeway.settings import Settings

from .answers import Answers
from .calibrate import Calibration, odds_of
from .detectors.bernoulli_cusum import BernoulliCusum
from .error_level import error_level_from
from .error_watch import ErrorWatch, Kept
from .label_values import Completed
from .slice_book import SliceBook
from .slices import slicings

NAME = "concept_drift_slice"
_PRICED_BY = ("arl0", "odds", "preset")


class KeptSlice(msgspec.Struct):
    """One slice: its errors while it warms up; then its level, what its threshold rests on, and where it stands."""

    warming: list[int] = []
    level: ErrorLevel | None = None
    details: dict[str, Any] = {}
    watch: Kept | None = None


class SliceWatch:
    """The slices of one endpoint."""

    def __init__(self, endpoint: str, shard: int, profile: Profile, settings: Settings):
        self._endpoint, self._shard = endpoint, shard
        self._slicings = slicings(settings.slices, profile)
        self._warming_rows = settings.slices_rows
        self._settings = replace(settings, detector_arl0=settings.detector_arl0 * max(len(self._slicings), 1))
        self._book = SliceBook(endpoint, self._slicings, settings)
        self._kept: dict[str, KeptSlice] = {}
        self._watches: dict[str, ErrorWatch] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._slicings)

    def see(self, answers: Answers) -> None:
        """Rows came in."""
        if self._slicings:
            self._book.see(answers)

    def take(self, item: Completed, error: int, verdicts: list[Verdict]) -> None:
        """A row got its truth."""
        if not self._slicings:
            return
        for slicing, code in self._book.slices_of(item):
            name = self._slicings[slicing].names[code]
            watch = self._watches.get(name)
            if watch is not None:
                watch.take(item, error, verdicts)
                continue
            kept = self._kept.setdefault(name, KeptSlice())
            kept.warming.append(error)
            if len(kept.warming) >= self._warming_rows:
                self._begin(name, error_level_from(np.array(kept.warming, float)))

    def forget(self, name: str) -> None:
        """Let the next labelled rows of a slice set its level."""
        self._watches.pop(name, None)
        self._kept.pop(name, None)

    def snapshot(self) -> dict[str, KeptSlice]:
        """What to keep, by slice, besides `changes`."""
        for name, watch in self._watches.items():
            self._kept[name].watch = watch.snapshot()
        return self._kept

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        return self._book.changes()

    def restore(self, kept: dict[str, KeptSlice], stored: Mapping[str, bytes]) -> None:
        """As `snapshot` and the state have it; slices that the setting no longer names are dropped."""
        self._book.restore(stored)
        names = {name for slicing in self._slicings for name in slicing.names}
        for name, each in kept.items():
            if name not in names:
                continue
            if each.level is None:
                self._kept[name] = each
                continue
            self._begin(name, each.level, each.details)
            self._watches[name].restore(each.watch)

    def _begin(self, name: str, level: ErrorLevel, details: Mapping[str, Any] | None = None) -> None:
        details = self._priced(level) if details is None or not self._is_current(details, level) else dict(details)
        detector = BernoulliCusum(details["p0"], details["odds"], details["threshold"])
        self._kept[name] = KeptSlice(level=level, details=details)
        told = {**details, "slice": name}
        self._watches[name] = ErrorWatch(self._endpoint, self._shard, NAME, detector, detector, told, name)

    def _priced(self, level: ErrorLevel) -> dict[str, Any]:
        return {**Calibration(level, self._settings).details(), "slicings": len(self._slicings)}

    def _is_current(self, details: Mapping[str, Any], level: ErrorLevel) -> bool:
        """Whether the settings still are those that a threshold was found with."""
        settings = self._settings
        wanted = (settings.detector_arl0, odds_of(settings, level), settings.detector_preset)
        return tuple(details[name] for name in _PRICED_BY) == wanted
