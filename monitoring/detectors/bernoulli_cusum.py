"""A cumulative sum of log-likelihood ratios that finds a raised error rate."""

import math
from typing import Any

import numpy as np

from .base import StreamDetector

_GRID = 2.0**24
_CHUNK = 8_192


class BernoulliCusum(StreamDetector):
    """One-sided CUSUM on zeros and ones: S <- max(0, S + log(P1(x) / P0(x))), an alarm where S > threshold.

    P0 has the error rate `level`, P1 the rate with `odds` times its odds. Nothing is assumed about how far the rate
    really moves: `odds` is only where the detector is quickest. The threshold sets the false-alarm rate, see
    monitoring/calibrate.py. Steps are rounded to multiples of 2^-24, so that sums are exact and a batch gives the
    same floats as one value after the other.

    E. S. Page, Continuous inspection schemes, Biometrika 41 (1954); M. R. Reynolds and Z. G. Stoumbos, A CUSUM chart
    for monitoring a proportion when inspecting continuously, Journal of Quality Technology 31 (1999).

    >>> import numpy as np
    >>> from monitoring.detectors.bernoulli_cusum import BernoulliCusum
    >>> rng = np.random.default_rng(0)
    >>> errors = np.concatenate([rng.random(5_000) < 0.1, rng.random(1_000) < 0.2])
    >>> BernoulliCusum(level=0.1, odds=1.5, threshold=6.0).update_many(errors)[0]
    5149
    """

    def __init__(self, level: float, odds: float = 1.5, threshold: float = 5.0):
        raised = odds * level / (1 - level + odds * level)
        self.level, self.odds, self.threshold = level, odds, threshold
        self.up = round(math.log(raised / level) * _GRID) / _GRID
        self.down = round(math.log((1 - raised) / (1 - level)) * _GRID) / _GRID
        self.statistic = 0.0

    def update(self, x: float) -> bool:
        """Take one error (not 0) or right answer (0); whether it alarms."""
        statistic = self.statistic
        if statistic > self.threshold:
            statistic = 0.0
        statistic += self.up if x else self.down
        self.statistic = statistic if statistic > 0.0 else 0.0
        return statistic > self.threshold

    def update_many(self, xs: np.ndarray) -> list[int]:
        return self.run(xs)[1]

    def run(self, xs: np.ndarray) -> tuple[np.ndarray, list[int]]:
        """The statistic after each of some values, shape (n,), and the indices of those that alarm."""
        statistics, alarms = np.empty(len(xs)), []
        start = 0
        while start < len(xs):
            part = self.advance(xs[start : start + _CHUNK])
            statistics[start : start + len(part)] = part
            start += len(part)
            if self.statistic > self.threshold:
                alarms.append(start - 1)
        return statistics, alarms

    def advance(self, xs: np.ndarray) -> np.ndarray:
        """Take values, shape (n,) with n > 0, up to the first that alarms; the statistic after each that was taken.

        By Lindley's recursion: the sum so far minus its lowest point.
        """
        sums = np.where(xs, self.up, self.down)
        sums[0] += self.statistic if self.statistic <= self.threshold else 0.0
        np.cumsum(sums, out=sums)
        lowest = np.minimum.accumulate(sums)
        sums -= np.minimum(lowest, 0.0, out=lowest)
        if sums.max() > self.threshold:
            sums = sums[: int(np.argmax(sums > self.threshold)) + 1]
        self.statistic = float(sums[-1])
        return sums

    def swapped(self, threshold: float) -> "BernoulliCusum":
        """The detector that waits for the raised rate to come down to `level`: the hypotheses change places."""
        raised = self.odds * self.level / (1 - self.level + self.odds * self.level)
        return BernoulliCusum(raised, 1 / self.odds, threshold)

    def take_over(self, other: "BernoulliCusum") -> None:
        """Be as near to this threshold as another one is to its own."""
        self.statistic = round(other.statistic / other.threshold * self.threshold * _GRID) / _GRID

    def snapshot(self) -> dict[str, Any]:
        return {"statistic": self.statistic}

    def restore(self, kept: dict[str, Any]) -> None:
        self.statistic = float(kept["statistic"])

    @classmethod
    def example(cls) -> "BernoulliCusum":
        return cls(level=0.1, odds=1.5, threshold=5.0)
