"""The default detector of an endpoint: a CUSUM at the price that is set, whose level goes on learning."""

from collections.abc import Sequence

import numpy as np

from leeway.profile import ErrorLevel
from leeway.record import Verdict
from leeway.settings import Settings

from .calibrate import CONSERVATIVE, Calibration
from .error_watch import KIND, ErrorWatch, Kept
from .label_values import Completed
from .learnt_level import KeptLevel, LearntLevel


class LearningWatch:
    """Levels are taken over at the end of a stretch, while no incident is open; see LearntLevel. The preset
    `conservative` keeps the bound that the reference itself gives, and learns nothing."""

    def __init__(self, endpoint: str, shard: int, reference: ErrorLevel, settings: Settings, kept: KeptLevel):
        self._settings = settings
        most_rows = 0 if settings.detector_preset == CONSERVATIVE else settings.detector_learn_rows
        self._learnt = LearntLevel(reference, most_rows)
        self._learnt.restore(kept)
        calibration = self._calibration()
        self.cusum = calibration.detector
        self._watch = ErrorWatch(
            endpoint, shard, KIND, self.cusum, self.cusum, calibration.details(), learnt=self._learnt
        )

    def take_many(
        self, items: Sequence[Completed], errors: np.ndarray, verdicts: list[Verdict]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take rows in order, errors int8 of shape (n,); the statistic after each, and the threshold that it had."""
        found, thresholds, start = [np.empty(0)], [np.empty(0)], 0
        while start < len(items):
            stop = len(items) if self._learnt.is_done else start + self._watch.rows_to_stretch_end
            found.append(self._watch.take_many(items[start:stop], errors[start:stop], verdicts))
            thresholds.append(np.full(len(found[-1]), self.cusum.threshold))
            start = stop
            if self._watch.is_between_stretches and self._learnt.grown():
                calibration = self._calibration()
                self.cusum = calibration.detector
                self._watch.go_on_with(self.cusum, calibration.details())
        return np.concatenate(found), np.concatenate(thresholds)

    def snapshot(self) -> Kept:
        """What to keep of the watch, besides `learnt`."""
        return self._watch.snapshot()

    @property
    def learnt(self) -> KeptLevel:
        """What to keep of the level."""
        return self._learnt.snapshot()

    def restore(self, kept: Kept) -> None:
        """As `snapshot` gave it."""
        self._watch.restore(kept)

    def _calibration(self) -> Calibration:
        return Calibration(self._learnt.level, self._settings, self._learnt.rows_learnt)
