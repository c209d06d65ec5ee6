"""The price of an alarm: the threshold of the concept detector from the false-alarm rate that was set."""

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import beta

from leeway.profile import ErrorLevel
from leeway.settings import Settings

from .detectors.bernoulli_cusum import BernoulliCusum
from .error_level import sequence_of

_LONGEST_RUN = 50_000
_CELLS, _FEWEST_RUNS, _MOST_RUNS = 10_000_000, 200, 1_000
_CHUNK = 1_000_000
_FEWEST_DELAYS = 40
_DEVIATIONS = 8  # of the number of errors in a stretch, by which it is never exceeded
_TENFOLD = 10
_BURSTS_DELAY = 0.27
_INTERVAL = (0.025, 0.975)
_UPPER = 0.93
_CONSERVATIVE_ODDS = 1.6

DEFAULT, CONSERVATIVE = "default", "conservative"
PRESETS = (DEFAULT, CONSERVATIVE)

# (levels, rows) to the statistic at its peaks and the row of each, both of shape (levels, peaks); 0 beyond the rows
Peaks = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


class Calibration:
    """A detector for an error level at the price that the settings name.

    In control the run length until a false alarm is `detector.arl0` labelled rows: of stretches of that length, a
    share of 1 - 1/e holds one. The threshold is that quantile of the largest statistics of simulated stretches. In
    each the true error level is drawn anew from what the reference's rows say about it (beta, Jeffreys' prior, rows
    counting as rows / inflation), so that its uncertainty is part of the price. The preset `conservative` takes the
    level at the 93 % quantile of that posterior instead, as if it were known, and looks for odds 1.6 times as high at
    most (a small rise above a bound that is too high would never be seen): alarms are fewer and later, and the price
    holds for most references, not on their average.

    Where errors look independent, stretches are independent errors. Else they are put together from blocks of the
    reference's errors that outlast their correlation, in which errors are added or taken away at random to meet the
    drawn level. Such stretches are only as good as the blocks, so there the threshold is not below what the
    reference's own errors reach in their order. Runs are seeded from the level: the same reference has the same
    threshold. Stretches longer than 50,000 rows are judged by their first 50,000, which errs towards fewer alarms.
    """

    def __init__(self, level: ErrorLevel, settings: Settings):
        self._level, self._settings = level, settings
        rng = np.random.default_rng([level.rows, level.errors, zlib.crc32(level.sequence)])
        p0 = level.level
        if settings.detector_preset == CONSERVATIVE:
            p0 = float(beta.ppf(_UPPER, *_posterior(level)))
        self.detector = BernoulliCusum(p0, odds_of(settings), math.inf)
        self._peaks = (_independent if level.inflation <= 1 else _in_blocks)(self.detector, level, rng)
        self.detector.threshold, self.tenfold = self._thresholds(rng)

    def delay(self, factor: float) -> float:
        """Mean labelled rows until the alarm when the error level is multiplied.

        Simulated with the further errors added at random, and scaled by what bursts add to that: 1 + .27 log
        inflation, found on the streams of tests/bench/bench_detection.py (simulated 363 and 782 rows, in truth 644 and
        1,604, at estimated inflations of 12 and 61 in the median).
        """
        detector, level = self.detector, self._level.level
        raised = min(factor * level, (1 + level) / 2)
        drift = raised * detector.up + (1 - raised) * detector.down
        rows = int(min(max(20 * detector.threshold / drift, 100), _LONGEST_RUN)) if drift > 0 else _LONGEST_RUN
        reached, at = self._peaks(np.full(max(_CHUNK // rows, _FEWEST_DELAYS), raised), rows)
        is_over = reached > detector.threshold
        first = np.take_along_axis(at, is_over.argmax(axis=1)[:, None], axis=1)[:, 0]
        simulated = float(np.where(is_over.any(axis=1), first, rows).mean())
        return simulated * (1 + _BURSTS_DELAY * math.log(max(self._level.inflation, 1.0)))

    def details(self) -> dict[str, Any]:
        """What the detector rests on, and what it costs.

        The level `p0` that is watched with the level's 95 % interval, `rows` it was found on, `inflation`, `block`,
        `preset`, `odds`, `arl0`, `threshold`, `threshold_tenfold` (that of ten times as many false alarms),
        `delay_doubled`: the mean number of labelled rows until a doubled error level is seen; and `statement`, the
        same for a reader.
        """
        level, settings = self._level, self._settings
        doubled = self.delay(2)
        return {
            "p0": self.detector.level,
            "p0_interval": [float(beta.ppf(q, *_posterior(level))) for q in _INTERVAL],
            "rows": level.rows,
            "inflation": level.inflation,
            "block": level.block,
            "source": level.source,
            "preset": settings.detector_preset,
            "odds": self.detector.odds,
            "arl0": settings.detector_arl0,
            "threshold": self.detector.threshold,
            "threshold_tenfold": self.tenfold,
            "delay_doubled": doubled,
            "statement": _statement(level, settings.detector_arl0, doubled),
        }

    def _thresholds(self, rng: np.random.Generator) -> tuple[float, float]:
        """The threshold, and the lower one at which alarms are ten times as frequent."""
        level, arl0 = self._level, self._settings.detector_arl0
        rows = min(arl0, _LONGEST_RUN)
        is_independent = level.inflation <= 1
        runs = _MOST_RUNS if is_independent else min(max(_CELLS // rows, _FEWEST_RUNS), _MOST_RUNS)
        if self._settings.detector_preset == CONSERVATIVE:
            levels = np.full(runs, self.detector.level)
        else:
            levels = rng.beta(*_posterior(level), size=runs)
        step = max(_CHUNK // rows, 1)
        highest, soon = [], []
        for start in range(0, runs, step):
            reached, at = self._peaks(levels[start : start + step], rows)
            highest.append(reached.max(axis=1))
            soon.append(np.where(at <= max(arl0 // _TENFOLD, 1), reached, 0.0).max(axis=1))
        threshold = float(np.quantile(np.concatenate(highest), math.exp(-rows / arl0), method="higher"))
        tenfold = float(np.quantile(np.concatenate(soon), math.exp(-1), method="higher"))
        if is_independent:
            return threshold, tenfold
        return max(threshold, float(_paths(self.detector, sequence_of(level)[None]).max())), tenfold


def odds_of(settings: Settings) -> float:
    """The odds ratio that the CUSUM is tuned to."""
    odds = settings.detector_odds
    return min(odds, _CONSERVATIVE_ODDS) if settings.detector_preset == CONSERVATIVE else odds


def _statement(level: ErrorLevel, arl0: int, doubled: float) -> str:
    bursts = f", errors come in bursts (inflation {level.inflation:.1f})" if level.inflation > 1 else ""
    return (
        f"one false alarm in {arl0:,} labelled rows, by a reference of {level.rows:,} rows{bursts}; "
        f"at this price you will see a doubling after about {float(f'{doubled:.2g}'):,.0f} labelled rows"
    )


def _posterior(level: ErrorLevel) -> tuple[float, float]:
    return level.errors / level.inflation + 0.5, (level.rows - level.errors) / level.inflation + 0.5


def _paths(detector: BernoulliCusum, errors: np.ndarray) -> np.ndarray:
    """The statistic after each of the errors, shape (runs, rows), as Lindley's recursion gives it."""
    sums = np.cumsum(np.where(errors, detector.up, detector.down), axis=1)
    return sums - np.minimum(np.minimum.accumulate(sums, axis=1), 0.0)


def _independent(detector: BernoulliCusum, level: ErrorLevel, rng: np.random.Generator) -> Peaks:
    """The statistic peaks at errors, so that only the right answers between two of them are drawn: geometric ones."""

    def peaks(levels: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
        errors = rows * levels.max()
        most = math.ceil(errors + _DEVIATIONS * math.sqrt(errors)) + 1
        right = np.floor(rng.standard_exponential((len(levels), most)) * (-1 / np.log1p(-levels))[:, None])
        at = np.cumsum(right + 1, axis=1)
        sums = detector.up + detector.down * right
        sums[:, 0] = 0.0
        np.cumsum(sums, axis=1, out=sums)
        reached = sums - np.minimum.accumulate(sums, axis=1) + detector.up
        return np.where(at <= rows, reached, 0.0), at

    return peaks


def _in_blocks(detector: BernoulliCusum, level: ErrorLevel, rng: np.random.Generator) -> Peaks:
    errors, block = sequence_of(level), level.block
    around = np.concatenate([errors, errors[:block]])
    share = level.errors / level.rows

    def peaks(levels: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
        starts = rng.integers(0, len(errors), size=(len(levels), rows // block + 1))
        drawn = around[starts[:, :, None] + np.arange(block)].reshape(len(levels), -1)[:, :rows]
        chance = rng.random(drawn.shape, np.float32)
        kept, added = np.minimum(levels / share, 1.0), np.maximum((levels - share) / (1 - share), 0.0)
        raised = np.where(drawn, chance < kept[:, None], chance < added[:, None])
        return _paths(detector, raised), np.broadcast_to(np.arange(1, rows + 1), raised.shape)

    return peaks
