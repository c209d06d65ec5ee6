"""Data drift by windows of rows: each full window of one endpoint is scored against its profile.

Windows count rows that detectors may see (no tests, no repeated ids, no failures), in stream order, whatever batches
they come in. The rows of the open window, and of those that the next one is looked at together with (see DataDrift),
lie in the state as one chunk per range.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from leeway.profile import Profile
from leeway.record import Verdict
from leeway.settings import Settings

from .answers import Answers
from .chunks import Chunk, from_bytes, joined, to_bytes
from .columns import Columns
from .detectors.data_drift import DataDrift, WindowResult
from .duplicates import duplicate_share
from .packing import narrow
from .performance.estimate import Estimate
from .performance.performance_watch import PerformanceWatch
from .series import DATA, DATA_THRESHOLD, DUPLICATES, EFFECT, MISSING, Points
from .verdicts import DETECTED, NO_DETECTION, verdict

_DETECTOR = "data_drift"
ALARMED = "window-alarm/"


@dataclass
class Stretch:
    """Rows that follow each other, as chunks with their keys in the state."""

    keys: list[str] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    rows: int = 0

    def add(self, key: str, chunk: Chunk) -> None:
        self.keys.append(key)
        self.chunks.append(chunk)
        self.rows += chunk.size


class WindowWatch:
    """The windows of one endpoint."""

    def __init__(self, endpoint: str, profile: Profile, settings: Settings):
        self._endpoint, self._settings, self._rows = endpoint, settings, settings.window_rows
        self._names = profile.feature_names
        self._prediction = None if profile.prediction is None else profile.prediction.name
        self._drift = DataDrift.fit(profile, settings)
        self._performance = PerformanceWatch(endpoint, profile, settings.window_rows)
        self._open = Stretch()
        self._past: list[Stretch] = []
        self._number = 0
        self._new: dict[str, Chunk] = {}
        self._stored: set[str] = set()
        self._gone: list[str] = []
        self.alarmed: Chunk | None = None  # the rows of the last window that alarmed
        self._alarmed_is_new = False

    def see(self, answers: Answers, points: Points) -> list[Verdict]:
        """Take the rows of a batch; a verdict for each window that they fill."""
        verdicts, start, end = [], 0, len(answers.fed)
        while end - start >= self._rows - self._open.rows:
            stop = start + self._rows - self._open.rows
            self._hold(answers, start, stop)
            verdicts += self._score(answers, int(answers.fed[stop - 1]), points)
            start = stop
        if start < end:
            self._hold(answers, start, end)
        return verdicts

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts = {key: to_bytes(chunk) for key, chunk in self._new.items()}
        self._stored.update(puts)
        if self._alarmed_is_new:
            puts[ALARMED + self._endpoint], self._alarmed_is_new = to_bytes(self.alarmed), False
        deletes, self._new, self._gone = self._gone, {}, []
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        for key in sorted(key for key in stored if key.rpartition("/")[0] == f"window/{self._endpoint}"):
            self._stored.add(key)
            self._open.add(key, from_bytes(stored[key]))
            self._number = int(key.rpartition("/")[2]) + 1
            if self._open.rows >= self._rows:
                self._end_window()

        if (kept := stored.get(ALARMED + self._endpoint)) is not None:
            self.alarmed = from_bytes(kept)

    def refer_to(self, profile: Profile) -> None:
        """Hold the windows from the open one on against another reference."""
        self._drift = DataDrift.fit(profile, self._settings)

    def _hold(self, answers: Answers, start: int, stop: int) -> None:
        """Add rows `start` to `stop` of those that may be seen."""
        chunk = Chunk(
            size=stop - start,
            columns=answers.fed_columns(start, stop),
            outputs=answers.fed_values(answers.outputs, start, stop),
            probabilities=answers.probabilities and answers.fed_values(answers.probabilities, start, stop),
            first=answers.reference(int(answers.fed[start])),
        )
        key = f"window/{self._endpoint}/{self._number:016d}"
        self._open.add(key, chunk)
        self._new[key] = chunk
        self._number += 1

    def _end_window(self) -> None:
        """Keep what later windows are looked at together with, and let go of what is older."""
        self._past.append(self._open)
        self._open = Stretch()
        while len(self._past) >= self._drift.windows:
            for key in self._past.pop(0).keys:
                self._new.pop(key, None)
                if key in self._stored:
                    self._stored.remove(key)
                    self._gone.append(key)

    def _score(self, answers: Answers, last: int, points: Points) -> list[Verdict]:
        """The verdicts on the window that a row completes, and its points."""
        window, past = joined(self._open.chunks), [chunk for stretch in self._past for chunk in stretch.chunks]
        try:
            result, estimates = self._look_at(window, past)
        except OverflowError:  # whole numbers beyond the largest float
            narrowed = [chunk._replace(outputs=narrow(chunk.outputs)) for chunk in (window, *past)]
            result, estimates = self._look_at(narrowed[0], narrowed[1:])
        if result.alarms:
            self.alarmed, self._alarmed_is_new = window, True
        self._end_window()
        bucket = int(answers.clocks[answers.owner[last]])
        self._add_points(result, bucket, points)
        repeated = duplicate_share(self._columns_of(window, self._names).values(), window.size)
        points.extent(DUPLICATES, self._endpoint, bucket, repeated, repeated)
        self._performance.add_points(estimates, bucket, points)
        judged = [_judgement(result)] + ([self._performance.judgement(estimates)] if estimates else [])
        where = {"at": answers.position(last), "first": window.first, "last": answers.reference(last)}
        return [
            verdict(endpoint=self._endpoint, appended=bucket, rows=window.size, **where, **found) for found in judged
        ]

    def _look_at(self, window: Chunk, past: list[Chunk]) -> tuple[WindowResult, dict[str, Estimate]]:
        columns = self._columns_of(window, self._names)
        together = None
        if past:
            slow = set(self._drift.slow_names)
            narrowed = [
                chunk._replace(columns={name: col for name, col in chunk.columns.items() if name in slow})
                for chunk in (*past, window)
            ]
            all_rows = joined(narrowed)
            together = self._columns_of(all_rows, [name for name in self._names if name in slow])
            if (name := self._prediction) in slow:
                together[name] = all_rows.outputs
        drift = self._drift.score(columns, window.outputs, window.probabilities, together)
        return drift, self._performance.estimate(columns, window.outputs, window.probabilities)

    @staticmethod
    def _columns_of(chunk: Chunk, names: list[str]) -> Columns:
        missing = np.full(chunk.size, np.nan)
        return {name: chunk.columns.get(name, missing) for name in names}

    def _add_points(self, result: WindowResult, bucket: int, points: Points) -> None:
        points.extent(DATA, self._endpoint, bucket, result.statistic, result.statistic)
        points.extent(DATA_THRESHOLD, self._endpoint, bucket, result.threshold, result.threshold)
        for name, found in result.features.items():
            points.extent(EFFECT, self._endpoint, bucket, found.effect, found.effect, feature=name)
            points.extent(MISSING, self._endpoint, bucket, found.missing_rate, found.missing_rate, feature=name)


def _judgement(result: WindowResult) -> dict[str, Any]:
    """What the verdict on a window says of its rows."""
    return {
        "detector": _DETECTOR,
        "status": DETECTED if result.alarms else NO_DETECTION,
        "statistic": result.statistic,
        "threshold": result.threshold,
        "features": list(result.alarms),
        "details": result.details(),
    }
