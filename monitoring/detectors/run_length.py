"""How many rows a Bernoulli CUSUM runs until it alarms."""

import numpy as np

from .bernoulli_cusum import BernoulliCusum

_LARGEST = 700.0  # of an exponent
_STEPS, _CLOSE = 60, 1e-10


class RunLength:
    """Mean rows from zero to an alarm at error rates in (0, 1), shape (n,), of independent rows, by threshold.

    Siegmund's approximation, with what the statistic exceeds the threshold by as Reynolds and Stoumbos give it for
    zeros and ones. Against simulation on rates of .05 to .3 it is right within a tenth.

    D. Siegmund, Sequential analysis, Springer 1985; M. R. Reynolds and Z. G. Stoumbos, A CUSUM chart for monitoring a
    proportion when inspecting continuously, Journal of Quality Technology 31 (1999).

    >>> import numpy as np
    >>> from monitoring.detectors.bernoulli_cusum import BernoulliCusum
    >>> RunLength(BernoulliCusum(level=0.1, odds=1.5), np.array([0.1, 0.15, 0.2])).at(5.0).round().tolist()
    [19318.0, 361.0, 149.0]
    """

    def __init__(self, cusum: BernoulliCusum, rates: np.ndarray):
        up, down = cusum.up, cusum.down
        rates = np.where(np.abs(rates * up + (1 - rates) * down) < 1e-9, rates * (1 + 1e-6), rates)
        self._tilt = _tilt(rates, up, down)
        self._scale = -self._tilt * (rates * up + (1 - rates) * down)
        self._excess = (up - down) * (1 - 2 * cusum.level) / 3

    def at(self, threshold: float) -> np.ndarray:
        """Shape (n,)."""
        reach = self._tilt * (threshold + self._excess)
        return (np.exp(np.minimum(reach, _LARGEST)) - reach - 1) / self._scale


def _tilt(rates: np.ndarray, up: float, down: float) -> np.ndarray:
    """The root other than 0 of the moment generating function of a step, less 1: positive where steps go down."""
    tilt = np.where(rates * up + (1 - rates) * down < 0, 1.0, -1.0)
    for _ in range(_STEPS):  # out to where the function, which is convex, is positive
        is_within = rates * np.exp(tilt * up) + (1 - rates) * np.exp(tilt * down) <= 1
        if not is_within.any():
            break
        tilt = np.where(is_within, 1.5 * tilt, tilt)
    for _ in range(_STEPS):  # and back by Newton's steps
        more, less = rates * np.exp(tilt * up), (1 - rates) * np.exp(tilt * down)
        step = (more + less - 1) / (more * up + less * down)
        tilt = tilt - step
        if np.abs(step).max() < _CLOSE:
            break
    return tilt
