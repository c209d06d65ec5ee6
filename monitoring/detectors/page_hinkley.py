"""A mean that moved, by the sum of deviations from it."""

from .classic import ClassicDetector


class PageHinkley(ClassicDetector):
    """Page-Hinkley test: sums x - mean - delta, forgetting by `alpha` a value, and alarms where the sum is more than
    `threshold` above its lowest point (`mode` up), or the mirrored one below its highest (down), or either (both).

    Assumes nothing about the values but that `delta` is small against the shift that matters. The threshold sets no
    rate of false alarms: at 10, as MLRun's hub had it, errors of frozen models alarm about 14 times in 10,000 rows.

    E. S. Page, Continuous inspection schemes, Biometrika 41 (1954); D. Hinkley, Inference about the change-point from
    cumulative sum tests, Biometrika 58 (1971).

    >>> import numpy as np
    >>> from monitoring.detectors.page_hinkley import PageHinkley
    >>> rng = np.random.default_rng(0)
    >>> PageHinkley().update_many(np.concatenate([rng.random(5_000) < 0.1, rng.random(2_000) < 0.2]))
    [5557]
    """

    kept = ("_n", "_mean", "_risen", "_fallen", "_lowest", "_highest")

    def __init__(
        self,
        min_instances: int = 30,
        delta: float = 0.005,
        threshold: float = 50.0,
        alpha: float = 1 - 0.0001,
        mode: str = "up",
    ):
        self._min_instances, self._delta, self._alpha, self._mode = min_instances, delta, alpha, mode
        self.threshold = threshold
        super().__init__()

    def begin(self) -> None:
        self._n, self._mean = 0, 0.0
        self._risen = self._fallen = 0.0
        self._lowest: float | None = None
        self._highest = -1.0
        self.statistic = 0.0

    def take(self, x: float) -> None:
        self._n += 1
        self._mean += 1.0 / self._n * (x - self._mean)
        deviation = x - self._mean
        self._risen = self._alpha * self._risen + deviation - self._delta
        self._fallen = self._alpha * self._fallen + deviation + self._delta
        if self._lowest is None or self._risen < self._lowest:
            self._lowest = self._risen
        self._highest = max(self._highest, self._fallen)
        if self._n < self._min_instances:
            return
        up, down = self._risen - self._lowest, self._highest - self._fallen
        self.statistic = {"up": up, "down": down}.get(self._mode, max(up, down))
        self.is_alarm = self.statistic > self.threshold
