"""A weighted mean above the lowest that was seen, by McDiarmid's bound."""

import math

from .classic import ClassicDetector

_EMPTY = (0, 0.0, 1.0)


class HddmW(ClassicDetector):
    """Drift detection by weighted moving averages: a cut is set where the exponentially weighted mean plus its bound is
    lowest; alarms where the weighted mean of the values after it exceeds the one up to it by more than McDiarmid's
    bound at `drift_confidence`. `lambda_option` is the weight of the newest value. With `two_side_option` also where it
    fell.

    Assumes independent values in 0 to 1. Quick on large sudden changes and blind to small ones, since it forgets.
    `statistic` is by how much the newer mean exceeds the older.

    I. Frias-Blanco and others, Online and non-parametric drift detection methods based on Hoeffding's bounds, IEEE
    Transactions on Knowledge and Data Engineering 27 (2015), the W-test.

    >>> import numpy as np
    >>> from monitoring.detectors.hddm_w import HddmW
    >>> rng = np.random.default_rng(0)
    >>> HddmW().update_many(np.concatenate([rng.random(5_000) < 0.1, rng.random(2_000) < 0.5]))
    [5068, 6323]
    """

    kept = ("_total", "_old", "_new", "_old_high", "_new_high", "_lowest", "_highest")

    def __init__(
        self,
        drift_confidence: float = 0.001,
        warning_confidence: float = 0.005,
        lambda_option: float = 0.05,
        two_side_option: bool = False,
    ):
        self._drift_confidence, self._warning_confidence = drift_confidence, warning_confidence
        self._lambda_option, self._two_side_option = lambda_option, two_side_option
        super().__init__()

    def begin(self) -> None:
        # (values, weighted mean, sum of the squared weights) of all, and on both sides of the two cuts
        self._total = self._old = self._new = self._old_high = self._new_high = _EMPTY
        self._lowest: float | None = None
        self._highest: float | None = None
        self.statistic, self.threshold = 0.0, 1.0

    def take(self, x: float) -> None:
        self._total = self._weighed(self._total, x)
        bound = self._bound(self._total[2], self._drift_confidence)
        mean = self._total[1]
        self.statistic, self.threshold, self.is_warning = 0.0, 1.0, False
        if self._lowest is None or mean + bound < self._lowest:
            self._lowest, self._old, self._new = mean + bound, self._total, _EMPTY
        else:
            self._new = self._weighed(self._new, x)
            self._judge(self._new[1] - self._old[1], self._old[2] + self._new[2])
        if self._two_side_option:
            self._take_fall(x, mean - bound)

    def _take_fall(self, x: float, reach: float) -> None:
        if self._highest is None or reach > self._highest:
            self._highest, self._old_high, self._new_high = reach, self._total, _EMPTY
            return
        self._new_high = self._weighed(self._new_high, x)
        if not self.is_alarm:
            self._judge(self._old_high[1] - self._new_high[1], self._old_high[2] + self._new_high[2])

    def _weighed(self, sample: tuple[int, float, float], x: float) -> tuple[int, float, float]:
        n, mean, squares = sample
        weight = self._lambda_option
        # as river has it, a mean that is still 0 has seen nothing: the first error of a sample counts whole
        mean = weight * x + (1.0 - weight) * mean if mean else float(x)
        return n + 1, mean, weight * weight + (1 - weight) ** 2 * squares

    def _bound(self, squares: float, confidence: float) -> float:
        return math.sqrt(squares * math.log(1 / confidence) / 2)

    def _judge(self, moved: float, squares: float) -> None:
        self.statistic, self.threshold = moved, self._bound(squares, self._drift_confidence)
        self.is_alarm = moved > self.threshold
        warned = moved > self._bound(squares, self._warning_confidence)
        self.is_warning = not self.is_alarm and (warned or self.is_warning)
