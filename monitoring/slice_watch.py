"""Concept drift inside the slices of an endpoint.

Price: each row is in at most one slice of a slicing, and each slice's detector has the price of `detector.arl0` times
the number of slicings, in its own rows. A slice with a share w of the rows then has its false alarms at a rate of
w / (arl0 x slicings) a row of the endpoint; over the slices of a slicing the shares sum to at most 1, over all slicings
the rates to at most 1 / arl0, whatever the shares and however the slices' errors hang together (the expectation of a
sum). So the first false alarms of all slices together come at one in `detector.arl0` rows of the endpoint.

Where several slices move, they are named together and sooner, by e-BH: r slices alarm once each of them has evidence of
an r-th of that price. A slice's evidence is in how many of its rows chance brings its CUSUM as high as it stands,
log-linear between its threshold and that of ten times as many alarms. The expected share of false names then is at most
the rows that were watched over `detector.arl0`, which for the first alarm while nothing moves is the price again. An
exponential of the CUSUM would be evidence that this is proven for (an e-detector), and cost a threshold a hundred times
as high; that the price holds with run lengths in its place, for slices that overlap, is measured by
tests/bench/bench_detection.py --bars slices. Slices whose incident is open have been named and do not count.

R. Wang and A. Ramdas, False discovery rate control with e-values, JRSS B 84 (2022); J. Shin, A. Ramdas and A. Rinaldo,
E-detectors: a nonparametric framework for sequential change detection, NEJSDS 2 (2024).

Where a level rests on few rows and was found too low, alarms follow the first one until it is cleared or decided about.

The first `slices.rows` labelled rows of a slice set its level; slices with fewer are not judged.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from leeway.profile import ErrorLevel, Profile
from leeway.record import RowReference, Verdict
from leeway.settings import Settings

from .answers import Answers
from .calibrate import Calibration, odds_of
from .detectors.bernoulli_cusum import BernoulliCusum
from .detectors.e_benjamini_hochberg import e_benjamini_hochberg
from .error_level import error_level_from
from .error_watch import ErrorWatch, Kept
from .label_values import Completed
from .slice_book import SliceBook
from .slices import slicings

NAME = "concept_drift_slice"
_PRICED_BY = ("arl0", "odds", "preset")
_LEAST_STEP = 1e-3  # between the thresholds of two prices


class KeptSlice(msgspec.Struct):
    """One slice: its errors while it warms up; then its level, what its threshold rests on, where it stands, and the
    last row that left it with evidence enough to be named with others."""

    warming: list[int] = []
    level: ErrorLevel | None = None
    details: dict[str, Any] = {}
    watch: Kept | None = None
    last: RowReference | None = None


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
        alarmed: set[str] = set()
        is_risen = False
        for slicing, code in self._book.slices_of(item):
            name = self._slicings[slicing].names[code]
            watch = self._watches.get(name)
            if watch is None:
                self._warm(name, error)
                continue
            was_open, kept = watch.is_open, self._kept[name]
            statistic, kept.last = watch.take(item, error, verdicts), None
            if statistic > watch.threshold and not was_open:
                alarmed.add(name)
            elif statistic > 0 and not was_open and self._evidence(name) * len(self._watches) >= self._price:
                kept.last, is_risen = watch.row(item), True
        if is_risen or alarmed:
            self._name_together(item, alarmed, verdicts)

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
            self._kept[name].last = each.last

    @property
    def _price(self) -> int:
        return self._settings.detector_arl0

    def _warm(self, name: str, error: int) -> None:
        kept = self._kept.setdefault(name, KeptSlice())
        kept.warming.append(error)
        if len(kept.warming) >= self._warming_rows:
            self._begin(name, error_level_from(np.array(kept.warming, float)))

    def _evidence(self, name: str) -> float:
        """In how many rows of a slice chance brings its statistic as high as it stands, once."""
        above = self._watches[name].statistic - self._watches[name].threshold
        return self._price * 10 ** (above / self._step(name))

    def _step(self, name: str) -> float:
        """From the threshold of ten times as many alarms to that of the price."""
        details = self._kept[name].details
        return max(details["threshold"] - details["threshold_tenfold"], _LEAST_STEP)

    def _name_together(self, item: Completed, alarmed: set[str], verdicts: list[Verdict]) -> None:
        """Alarm for the slices that have evidence enough beside each other and those that `alarmed` by themselves."""
        names = sorted(alarmed | {name for name, kept in self._kept.items() if kept.last is not None})
        is_named = e_benjamini_hochberg(np.array([self._evidence(name) for name in names]), self._price)
        together = int(is_named.sum())
        for name in (name for name, each in zip(names, is_named) if each and name not in alarmed):
            kept, watch = self._kept[name], self._watches[name]
            threshold = watch.threshold - math.log10(together) * self._step(name)
            watch.alarm(item, kept.last, threshold, verdicts, together=together)
            kept.last = None

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
