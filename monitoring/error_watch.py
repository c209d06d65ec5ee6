"""One sequential detector on the errors of an endpoint, or of a slice of it: alarms, stretches, and what ends an alarm.

Every 500 labelled rows end a stretch with a verdict (no detection; statistic: the highest in it), so that a chart can
be drawn by row. An alarm is a verdict of its own, over the rows since the statistic last was zero. After an alarm a
second CUSUM, with the hypotheses swapped and .7 of the threshold, waits for the error level to come back; when it does,
a verdict says so, over the rows since the alarm. That the level fell below the reference's is told with a stretch
(`improved`), and no alarm.

Why .7: where errors come in long bursts (standard deviation 1.2 of the log odds, autocorrelation .995), a lull looks
like the level come back. With half of the threshold incidents of a doubled level were open on 77 % of the rows that
followed, with .7 on 83 %; of rows where nothing had changed 17 % and 20 % lay in an open one. Measured by
tests/bench/bench_detection.py --bars 2.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from leeway.record import Position, RowReference, Verdict

from .detectors.base import StreamDetector
from .detectors.bernoulli_cusum import BernoulliCusum
from .label_values import Completed
from .learnt_level import LearntLevel
from .verdicts import CLEARS, DETECTED, NO_DETECTION, verdict

STRETCH_ROWS = 500
CLEARING_SHARE = 0.7
KIND = "concept_drift"
_FEW = 32  # rows that are taken sooner one by one


class Stretch(msgspec.Struct):
    """Labelled rows in the order of their truth; `first` names the first of them."""

    rows: int = 0
    errors: int = 0
    highest: float = 0.0
    first: RowReference | None = None

    def take(self, row: RowReference | None, error: int, statistic: float) -> None:
        """Add a row; `row` is only needed for the first."""
        if self.first is None:
            self.first = row
        self.rows += 1
        self.errors += error
        if statistic > self.highest:
            self.highest = statistic

    def take_many(self, errors: np.ndarray, statistics: np.ndarray) -> None:
        """Add rows whose first has been named, each of shape (n,)."""
        self.rows += len(errors)
        self.errors += int(np.count_nonzero(errors))
        self.highest = max(self.highest, float(statistics.max()))


class Kept(msgspec.Struct):
    """Where a watch stands: its detectors, the open stretch, the rows since zero, those since an alarm."""

    detector: dict[str, Any]
    stretch: Stretch
    rise: Stretch
    since_alarm: Stretch | None = None
    clearing: float = 0.0
    improving: float = 0.0
    improved: int = 0


class ErrorWatch:
    """`name` is the detector's in its verdicts, `feature` the slice's; `reference` the CUSUM that knows the level, and
    `learnt`, where it is given, goes on learning it from the rows that no incident is open on."""

    def __init__(
        self,
        endpoint: str,
        shard: int,
        name: str,
        detector: StreamDetector,
        reference: BernoulliCusum,
        details: dict[str, Any],
        feature: str = "",
        learnt: LearntLevel | None = None,
    ):
        self._endpoint, self._shard, self._name, self._feature = endpoint, shard, name, feature
        self._detector, self._details, self._learnt = detector, details, learnt
        self._clearing = reference.swapped(CLEARING_SHARE * reference.threshold)
        self._improving = BernoulliCusum(reference.level, 1 / reference.odds, reference.threshold)
        self._improved = 0
        self._stretch, self._rise = Stretch(), Stretch()
        self._since_alarm: Stretch | None = None

    @property
    def threshold(self) -> float:
        return self._detector.threshold

    @property
    def statistic(self) -> float:
        return self._detector.statistic

    @property
    def is_open(self) -> bool:
        """Whether an alarm has not been cleared yet."""
        return self._since_alarm is not None

    @property
    def rows_to_stretch_end(self) -> int:
        return STRETCH_ROWS - self._stretch.rows

    @property
    def is_between_stretches(self) -> bool:
        """Whether a stretch has just ended, and no incident is open."""
        return self._stretch.rows == 0 and self._since_alarm is None

    def go_on_with(self, detector: BernoulliCusum, details: dict[str, Any]) -> None:
        """Watch with another CUSUM from the next row on, as near to its threshold as the one before was."""
        improving = BernoulliCusum(detector.level, 1 / detector.odds, detector.threshold)
        detector.take_over(self._detector)
        improving.take_over(self._improving)
        self._detector, self._details, self._improving = detector, details, improving
        self._clearing = detector.swapped(CLEARING_SHARE * detector.threshold)

    def take(self, item: Completed, error: int, verdicts: list[Verdict]) -> float:
        """Take one row; the statistic after it."""
        is_alarm = self._detector.update(error)
        statistic = self._detector.statistic
        stretch, rise = self._stretch, self._rise
        row = self.row(item) if stretch.first is None or rise.first is None else None
        stretch.take(row, error, statistic)
        rise.take(row, error, statistic)
        self._improved += self._improving.update(error)
        is_back = False
        if self._since_alarm is not None:
            is_back = self._clearing.update(error)
            self._since_alarm.take(None, error, self._clearing.statistic)
        elif self._learnt is not None:
            self._learnt.take(error, statistic)
        if is_back or is_alarm or statistic <= 0 or stretch.rows == STRETCH_ROWS:
            self._end(item, statistic, is_alarm, is_back, verdicts)
        return statistic

    def take_many(self, items: Sequence[Completed], errors: np.ndarray, verdicts: list[Verdict]) -> np.ndarray:
        """Take rows in order, errors int8 of shape (n,); the statistic after each. The same result as one by one."""
        if len(items) < _FEW or not isinstance(self._detector, BernoulliCusum):
            return np.array([self.take(item, error, verdicts) for item, error in zip(items, errors.tolist())])
        statistics, alarms = self._detector.run(errors)
        improved = self._improving.update_many(errors)
        start = 0
        while start < len(items):
            alarm = bisect_left(alarms, start)
            stop = min(len(items), start + STRETCH_ROWS - self._stretch.rows, *(row + 1 for row in alarms[alarm:][:1]))
            is_back = False
            if self._since_alarm is not None:
                waited = self._clearing.advance(errors[start:stop])
                stop = start + len(waited)
                self._since_alarm.take_many(errors[start:stop], waited)
                is_back = self._clearing.statistic > self._clearing.threshold
            elif self._learnt is not None:
                self._learnt.take_many(errors[start:stop], statistics[start:stop])
            self._count(items[start:stop], errors[start:stop], statistics[start:stop])
            self._improved += bisect_left(improved, stop) - bisect_left(improved, start)
            is_alarm = alarms[alarm : alarm + 1] == [stop - 1]
            self._end(items[stop - 1], float(statistics[stop - 1]), is_alarm, is_back, verdicts)
            start = stop
        return statistics

    def alarm(
        self, item: Completed, last: RowReference, threshold: float, verdicts: list[Verdict], **told: Any
    ) -> None:
        """Alarm below the detector's own threshold, which begins anew: its rows and those of others are enough
        together. `last` is the last row that it took, `item` what completed it all."""
        rise, statistic = self._rise, self._detector.statistic
        verdicts.append(self._verdict(item, DETECTED, rise, statistic, threshold, last, **told))
        self._since_alarm, self._rise = Stretch(first=last), Stretch()
        self._detector.statistic = 0.0

    def row(self, item: Completed) -> RowReference:
        """What names a row."""
        entry = item.entry
        return RowReference(Position(self._shard, entry.offset, entry.index), entry.id, item.row)

    def snapshot(self) -> Kept:
        """What to keep of it."""
        return Kept(
            self._detector.snapshot(), self._stretch, self._rise, self._since_alarm, self._clearing.statistic,
            self._improving.statistic, self._improved,
        )  # fmt: skip

    def restore(self, kept: Kept) -> None:
        """As `snapshot` gave it."""
        self._detector.restore(kept.detector)
        self._stretch, self._rise, self._since_alarm = kept.stretch, kept.rise, kept.since_alarm
        self._clearing.statistic, self._improving.statistic = kept.clearing, kept.improving
        self._improved = kept.improved

    def _count(self, items: Sequence[Completed], errors: np.ndarray, statistics: np.ndarray) -> None:
        """Add rows to the open stretch and to the rise, which begins anew after a statistic of zero."""
        if self._stretch.first is None:
            self._stretch.first = self.row(items[0])
        self._stretch.take_many(errors, statistics)
        zeros = np.flatnonzero(statistics[:-1] <= 0)
        start = int(zeros[-1]) + 1 if len(zeros) else 0
        if start:
            self._rise = Stretch()
        if self._rise.first is None:
            self._rise.first = self.row(items[start])
        self._rise.take_many(errors[start:], statistics[start:])

    def _end(self, item: Completed, statistic: float, is_alarm: bool, is_back: bool, verdicts: list[Verdict]) -> None:
        """End what a row ends: an alarm's wait for the level, a rise, a stretch."""
        stretch, rise, threshold = self._stretch, self._rise, self._detector.threshold
        if is_back:
            clearing, since = self._clearing, self._since_alarm
            told = {CLEARS: True}
            verdicts.append(self._verdict(item, NO_DETECTION, since, clearing.statistic, clearing.threshold, **told))
            clearing.statistic, self._since_alarm = 0.0, None
        if is_alarm:
            verdicts.append(self._verdict(item, DETECTED, rise, rise.highest, threshold))
            self._since_alarm = self._since_alarm or Stretch(first=self.row(item))
            if self._learnt is not None:
                self._learnt.forget()
        if is_alarm or statistic <= 0:
            self._rise = Stretch()
        if stretch.rows == STRETCH_ROWS:
            told = {"improved": True} if self._improved else {}
            verdicts.append(self._verdict(item, NO_DETECTION, stretch, stretch.highest, threshold, **told))
            self._stretch, self._improved = Stretch(), 0

    def _verdict(
        self,
        item: Completed,
        status: int,
        over: Stretch,
        statistic: float,
        threshold: float,
        last: RowReference | None = None,
        **told: Any,
    ) -> Verdict:
        return verdict(
            endpoint=self._endpoint,
            detector=self._name,
            kind=KIND,
            status=status,
            at=Position(self._shard, item.at.offset, item.at.index),
            appended=item.at.clock,
            rows=over.rows,
            first=over.first,
            last=last or self.row(item),
            statistic=statistic,
            threshold=threshold,
            feature=self._feature,
            details={"errors": over.errors, "error_rate": over.errors / over.rows, **self._details, **told},
        )
