"""Errors that come closer together."""

from .classic import ClassicDetector


class EDDM(ClassicDetector):
    """Early drift detection method: with m and s mean and standard deviation of the distances between errors, alarms
    where m + 2 s falls below `out_control_level` of the largest it was.

    Judges only at errors, after 30 values and 30 errors. It has the most false alarms of these methods (about nine in
    10,000 rows of frozen models). `statistic` is by how much m + 2 s fell, as a share of its largest.

    M. Baena-Garcia and others, Early drift detection method, Fourth International Workshop on Knowledge Discovery from
    Data Streams (2006).

    >>> import numpy as np
    >>> from monitoring.detectors.eddm import EDDM
    >>> rng = np.random.default_rng(0)
    >>> len(EDDM().update_many(np.concatenate([rng.random(5_000) < 0.1, rng.random(2_000) < 0.2])))
    24
    """

    kept = ("_n", "_errors", "_last", "_mean", "_squares", "_largest")

    def __init__(self, min_num_instances: int = 30, warning_level: float = 0.95, out_control_level: float = 0.9):
        self._min_num_instances = min_num_instances
        self._warning_level, self._out_control_level = warning_level, out_control_level
        super().__init__()

    def begin(self) -> None:
        self._n = self._errors = self._last = 0
        self._mean = self._squares = 0.0
        self._largest = -1.0
        self.statistic, self.threshold = 0.0, 1 - self._out_control_level

    def take(self, x: float) -> None:
        self._n += 1
        if not x:
            return
        self._errors += 1
        self._learn(self._n - self._last)
        self._last = self._n
        if self._n <= self._min_num_instances:
            return
        deviation = (self._squares / (self._errors - 1)) ** 0.5 if self._errors > 1 else 0.0
        reach = self._mean + 2 * deviation
        self.statistic = 0.0
        if reach > self._largest:
            self._largest = reach
        elif self._errors > self._min_num_instances:
            level = reach / self._largest
            self.statistic = 1 - level
            self.is_alarm = level < self._out_control_level
            self.is_warning = not self.is_alarm and level < self._warning_level

    def _learn(self, distance: int) -> None:
        before = self._mean
        self._mean += 1.0 / self._errors * (distance - self._mean)
        self._squares += (distance - before) * (distance - self._mean)
