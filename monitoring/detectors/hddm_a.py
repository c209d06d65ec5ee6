"""A mean above the lowest that was seen, by Hoeffding's bound."""

import math

from .classic import ClassicDetector


class HddmA(ClassicDetector):
    """Drift detection by moving averages: alarms where the mean of all n values exceeds the mean of the first m of them
    by more than Hoeffding's bound at `drift_confidence`; m is where mean plus bound was lowest. With `two_side_option`
    also where it fell.

    Assumes independent values in 0 to 1, and no shape of their distribution. The bound holds at one moment, not over
    all: the rate of false alarms is low but not set. `statistic` is by how much the mean exceeds.

    I. Frias-Blanco and others, Online and non-parametric drift detection methods based on Hoeffding's bounds, IEEE
    Transactions on Knowledge and Data Engineering 27 (2015), the A-test.

    >>> import numpy as np
    >>> from monitoring.detectors.hddm_a import HddmA
    >>> rng = np.random.default_rng(0)
    >>> HddmA().update_many(np.concatenate([rng.random(5_000) < 0.1, rng.random(2_000) < 0.2]))
    [5566]
    """

    kept = ("_n", "_mean", "_low_n", "_low", "_high_n", "_high")

    def __init__(
        self, drift_confidence: float = 0.001, warning_confidence: float = 0.005, two_side_option: bool = False
    ):
        self._drift_confidence, self._warning_confidence = drift_confidence, warning_confidence
        self._two_side_option = two_side_option
        super().__init__()

    def begin(self) -> None:
        self._n = self._low_n = self._high_n = 0
        self._mean = self._low = self._high = 0.0
        self.statistic, self.threshold = 0.0, 1.0

    def take(self, x: float) -> None:
        self._n += 1
        self._mean += 1.0 / self._n * (x - self._mean)
        self._move_cuts()
        self.statistic, self.threshold, self.is_warning = 0.0, 1.0, False
        if self._low_n != self._n:
            self._judge(self._mean - self._low, self._low_n)
        if self._two_side_option and not self.is_alarm and self._high_n != self._n:
            self._judge(self._high - self._mean, self._high_n)

    def _move_cuts(self) -> None:
        bound = self._hoeffding(self._n)
        if not self._low_n or self._low + self._hoeffding(self._low_n) >= self._mean + bound:
            self._low_n, self._low = self._n, self._mean
        if not self._high_n or self._high - self._hoeffding(self._high_n) <= self._mean - bound:
            self._high_n, self._high = self._n, self._mean

    def _hoeffding(self, n: int) -> float:
        return math.sqrt(1.0 / (2 * n) * math.log(1.0 / self._drift_confidence))

    def _judge(self, moved: float, cut: int) -> None:
        weight = (self._n - cut) / cut * (1.0 / self._n)
        self.statistic = moved
        self.threshold = math.sqrt(weight / 2 * math.log(2.0 / self._drift_confidence))
        self.is_alarm = moved >= self.threshold
        warned = moved >= math.sqrt(weight / 2 * math.log(2.0 / self._warning_confidence))
        self.is_warning = not self.is_alarm and (warned or self.is_warning)
