"""An error rate above the lowest that was seen."""

import math

from .classic import ClassicDetector


class DDM(ClassicDetector):
    """Drift detection method: with p the error rate of n values so far and s = sqrt(p (1 - p) / n), alarms where
    p + s > p_min + out_control_level * s_min; p_min and s_min are those where p + s was lowest.

    Assumes that errors are independent and the rate only falls while nothing drifts. Its false alarms have no set rate;
    a model without errors alarms at its first one. `statistic` is p + s.

    J. Gama, P. Medas, G. Castillo and P. Rodrigues, Learning with drift detection, SBIA (2004).

    >>> import numpy as np
    >>> from monitoring.detectors.ddm import DDM
    >>> rng = np.random.default_rng(0)
    >>> DDM().update_many(np.concatenate([rng.random(5_000) < 0.1, rng.random(2_000) < 0.2]))
    [2056, 5367]
    """

    kept = ("_n", "_p", "_p_min", "_s_min", "_lowest")

    def __init__(self, min_num_instances: int = 30, warning_level: float = 2.0, out_control_level: float = 3.0):
        self._min_num_instances = min_num_instances
        self._warning_level, self._out_control_level = warning_level, out_control_level
        super().__init__()

    def begin(self) -> None:
        self._n, self._p = 0, 0.0
        self._p_min = self._s_min = 0.0
        self._lowest: float | None = None
        self.statistic, self.threshold = 0.0, 1.0

    def take(self, x: float) -> None:
        self._n += 1
        self._p += 1.0 / self._n * (x - self._p)
        if self._n <= self._min_num_instances:
            return
        s = math.sqrt(self._p * (1 - self._p) / self._n)
        self.statistic = self._p + s
        if self._lowest is None or self.statistic <= self._lowest:
            self._p_min, self._s_min, self._lowest = self._p, s, self.statistic
        self.threshold = self._p_min + self._out_control_level * self._s_min
        self.is_alarm = self.statistic > self.threshold
        self.is_warning = not self.is_alarm and self.statistic > self._p_min + self._warning_level * self._s_min
