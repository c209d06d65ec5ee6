"""Data drift by windows of rows: each full window of one endpoint is scored against its profile.

Windows count rows that detectors may see (no tests, no repeated ids, no failures), in stream order, whatever batches
they come in. The rows of the open window lie in the state as one chunk per range.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from leeway.profile import Profile
from leeway.record import Verdict
from leeway.settings import Settings

from .answers import Answers
from .chunks import Chunk, from_bytes, joined, to_bytes
from .detectors.data_drift import DataDrift, WindowResult
from .packing import narrow
from .performance.estimate import Estimate
from .performance.performance_watch import PerformanceWatch
from .series import DATA, DATA_THRESHOLD, EFFECT, MISSING, Points
from .verdicts import DETECTED, NO_DETECTION, verdict

_DETECTOR = "data_drift"


class WindowWatch:
    """The windows of one endpoint."""

    def __init__(self, endpoint: str, profile: Profile, settings: Settings):
        self._endpoint, self._rows = endpoint, settings.window_rows
        self._names = profile.feature_names
        self._drift = DataDrift.fit(profile, settings)
        self._performance = PerformanceWatch(endpoint, profile, settings.window_rows)
        self._chunks: list[Chunk] = []
        self._held = 0
        self._number = 0
        self._new: list[tuple[str, Chunk]] = []
        self._stored: list[str] = []
        self._gone: list[str] = []

    def see(self, answers: Answers, points: Points) -> list[Verdict]:
        """Take the rows of a batch; a verdict for each window that they fill."""
        verdicts, start, end = [], 0, len(answers.fed)
        while end - start >= self._rows - self._held:
            stop = start + self._rows - self._held
            self._hold(answers, start, stop)
            verdicts += self._score(answers, int(answers.fed[stop - 1]), points)
            start = stop
        if start < end:
            self._hold(answers, start, end)
        return verdicts

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts = {key: to_bytes(chunk) for key, chunk in self._new}
        self._stored += puts
        deletes, self._new, self._gone = self._gone, [], []
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        self._stored = sorted(key for key in stored if key.rpartition("/")[0] == f"window/{self._endpoint}")
        self._chunks = [from_bytes(stored[key]) for key in self._stored]
        self._held = sum(chunk.size for chunk in self._chunks)
        self._number = int(self._stored[-1].rpartition("/")[2]) + 1 if self._stored else 0

    def _hold(self, answers: Answers, start: int, stop: int) -> None:
        """Add rows `start` to `stop` of those that may be seen."""
        chunk = Chunk(
            size=stop - start,
            columns=answers.fed_columns(start, stop),
            outputs=answers.fed_values(answers.outputs, start, stop),
            probabilities=answers.probabilities and answers.fed_values(answers.probabilities, start, stop),
            first=answers.reference(int(answers.fed[start])),
        )
        self._chunks.append(chunk)
        self._held += chunk.size
        self._new.append((f"window/{self._endpoint}/{self._number:016d}", chunk))
        self._number += 1

    def _score(self, answers: Answers, last: int, points: Points) -> list[Verdict]:
        """The verdicts on the window that a row completes, and its points."""
        window = joined(self._chunks)
        try:
            result, estimates = self._look_at(window)
        except OverflowError:  # whole numbers beyond the largest float
            result, estimates = self._look_at(window._replace(outputs=narrow(window.outputs)))
        self._gone += self._stored
        self._stored, self._new, self._chunks, self._held = [], [], [], 0
        bucket = int(answers.clocks[answers.owner[last]])
        self._add_points(result, bucket, points)
        self._performance.add_points(estimates, bucket, points)
        judged = [_judgement(result)] + ([self._performance.judgement(estimates)] if estimates else [])
        where = {"at": answers.position(last), "first": window.first, "last": answers.reference(last)}
        return [
            verdict(endpoint=self._endpoint, appended=bucket, rows=window.size, **where, **found) for found in judged
        ]

    def _look_at(self, window: Chunk) -> tuple[WindowResult, dict[str, Estimate]]:
        missing = np.full(window.size, np.nan)
        columns = {name: window.columns.get(name, missing) for name in self._names}
        drift = self._drift.score(columns, window.outputs, window.probabilities)
        return drift, self._performance.estimate(columns, window.outputs, window.probabilities)

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
