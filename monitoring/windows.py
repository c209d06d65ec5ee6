"""Data drift by windows of rows: each full window of one endpoint is scored against its profile.

Windows count rows that detectors may see (no tests, no repeated ids, no failures), in stream order, whatever batches
they come in. The rows of the open window lie in the state as one chunk per range.
"""

from collections.abc import Mapping

import numpy as np

from leeway.profile import Profile
from leeway.record import Verdict
from leeway.settings import Settings

from .answers import Answers
from .chunks import Chunk, from_bytes, joined, to_bytes
from .detectors.data_drift import DataDrift, WindowResult
from .packing import narrow
from .series import DATA, DATA_THRESHOLD, EFFECT, MISSING, Points
from .verdicts import DETECTED, NO_DETECTION, verdict

_DETECTOR = "data_drift"
ALARMED = "window-alarm/"


class WindowWatch:
    """The windows of one endpoint."""

    def __init__(self, endpoint: str, profile: Profile, settings: Settings):
        self._endpoint, self._settings, self._rows = endpoint, settings, settings.window_rows
        self._names = profile.feature_names
        self._drift = DataDrift.fit(profile, settings)
        self._chunks: list[Chunk] = []
        self._held = 0
        self._number = 0
        self._new: list[tuple[str, Chunk]] = []
        self._stored: list[str] = []
        self._gone: list[str] = []
        self.alarmed: Chunk | None = None  # the rows of the last window that alarmed
        self._alarmed_is_new = False

    def see(self, answers: Answers, points: Points) -> list[Verdict]:
        """Take the rows of a batch; a verdict for each window that they fill."""
        verdicts, start, end = [], 0, len(answers.fed)
        while end - start >= self._rows - self._held:
            stop = start + self._rows - self._held
            self._hold(answers, start, stop)
            verdicts.append(self._score(answers, int(answers.fed[stop - 1]), points))
            start = stop
        if start < end:
            self._hold(answers, start, end)
        return verdicts

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts = {key: to_bytes(chunk) for key, chunk in self._new}
        self._stored += puts
        if self._alarmed_is_new:
            puts[ALARMED + self._endpoint], self._alarmed_is_new = to_bytes(self.alarmed), False
        deletes, self._new, self._gone = self._gone, [], []
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        self._stored = sorted(key for key in stored if key.rpartition("/")[0] == f"window/{self._endpoint}")
        self._chunks = [from_bytes(stored[key]) for key in self._stored]
        self._held = sum(chunk.size for chunk in self._chunks)
        self._number = int(self._stored[-1].rpartition("/")[2]) + 1 if self._stored else 0

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
        self._chunks.append(chunk)
        self._held += chunk.size
        self._new.append((f"window/{self._endpoint}/{self._number:016d}", chunk))
        self._number += 1

    def _score(self, answers: Answers, last: int, points: Points) -> Verdict:
        window = joined(self._chunks)
        missing = np.full(window.size, np.nan)
        columns = {name: window.columns.get(name, missing) for name in self._names}
        try:
            result = self._drift.score(columns, window.outputs, window.probabilities)
        except OverflowError:  # whole numbers beyond the largest float
            result = self._drift.score(columns, narrow(window.outputs), window.probabilities)
        if result.alarms:
            self.alarmed, self._alarmed_is_new = window, True
        self._gone += self._stored
        self._stored, self._new, self._chunks, self._held = [], [], [], 0
        self._add_points(result, int(answers.clocks[answers.owner[last]]), points)
        return verdict(
            endpoint=self._endpoint,
            detector=_DETECTOR,
            status=DETECTED if result.alarms else NO_DETECTION,
            at=answers.position(last),
            appended=int(answers.clocks[answers.owner[last]]),
            rows=window.size,
            first=window.first,
            last=answers.reference(last),
            statistic=result.statistic,
            threshold=result.threshold,
            features=list(result.alarms),
            details=result.details(),
        )

    def _add_points(self, result: WindowResult, bucket: int, points: Points) -> None:
        points.extent(DATA, self._endpoint, bucket, result.statistic, result.statistic)
        points.extent(DATA_THRESHOLD, self._endpoint, bucket, result.threshold, result.threshold)
        for name, found in result.features.items():
            points.extent(EFFECT, self._endpoint, bucket, found.effect, found.effect, feature=name)
            points.extent(MISSING, self._endpoint, bucket, found.missing_rate, found.missing_rate, feature=name)
