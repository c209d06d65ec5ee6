"""The price of an alarm: the threshold of the concept detector from the false-alarm rate that was set."""

import math
import zlib
from typing import Any

import numpy as np
from scipy.special import betaincinv

from leeway.profile import ErrorLevel
from leeway.settings import Settings

from .detectors.bernoulli_cusum import BernoulliCusum
from .detectors.run_length import RunLength
from .error_level import sequence_of
from .learnt_level import posterior

_LONGEST_RUN = 50_000
_CELLS, _FEWEST_RUNS, _MOST_RUNS = 10_000_000, 200, 1_000
_CHUNK = 1_000_000
_FEWEST_DELAYS = 40
_TENFOLD = 10
_BURSTS_DELAY = 0.27
_INTERVAL = (0.025, 0.975)
_UPPER = 0.93
_CONSERVATIVE_ODDS = 1.6
_LEVELS = (np.arange(40) + 0.5) / 40  # quantiles of the posterior that stand for all of it
_HIGHEST, _HALVINGS = 64.0, 40  # of thresholds that are looked for

DEFAULT, CONSERVATIVE = "default", "conservative"
PRESETS = (DEFAULT, CONSERVATIVE)


class Calibration:
    """A detector for an error level at the price that the settings name: a false alarm in `detector.arl0` rows.

    What the reference's rows leave open about the true level (beta, Jeffreys' prior, rows counting as rows / inflation)
    is part of the price: it is paid on the average over that posterior. The preset `conservative` takes the level at
    the 93 % quantile of the posterior instead, as if it were known, and looks for odds 1.6 times as high at most (a
    small rise above a bound that is too high would never be seen): alarms are fewer and later, and the price holds for
    most references, not on their average.

    Where errors look independent, the rate of false alarms is one over the run length (see RunLength), averaged over
    40 quantiles of the posterior. Else false alarms come in bursts, too, and those that follow the first are its
    incident's, so that the price is that of the first: of stretches of `detector.arl0` rows in control a share of
    1 - 1/e holds an alarm, as where alarms come independently at that rate. Stretches are put together from blocks of
    the reference's errors that outlast their correlation, in which errors are added or taken away at random to meet a
    level drawn from the posterior; they are only as good as the blocks, so the threshold is not below what the
    reference's own errors reach in their order. They are seeded from the level: the same reference has the same
    threshold. Stretches longer than 50,000 rows are judged by their first 50,000, which errs towards fewer alarms.

    `rows_learnt` of the level's rows are not the reference's (see LearntLevel), which is told.
    """

    def __init__(self, level: ErrorLevel, settings: Settings, rows_learnt: int = 0):
        self._level, self._settings, self._rows_learnt = level, settings, rows_learnt
        p0 = level.level
        if settings.detector_preset == CONSERVATIVE:
            p0 = float(betaincinv(*posterior(level), _UPPER))
        self.detector = BernoulliCusum(p0, odds_of(settings, level), math.inf)
        self._rng = np.random.default_rng([level.rows, level.errors, zlib.crc32(level.sequence)])
        self._is_independent = level.inflation <= 1
        find = self._by_run_length if self._is_independent else self._by_blocks
        self.detector.threshold, self.tenfold = find()

    def delay(self, factor: float) -> float:
        """Mean labelled rows until the alarm when the error level is multiplied.

        Of errors that come in bursts it is simulated with the further errors added at random, and scaled by what bursts
        add to that: 1 + .27 log inflation, found on the streams of tests/bench/bench_detection.py (simulated 363 and
        782 rows, in truth 644 and 1,604, at estimated inflations of 12 and 61 in the median).
        """
        detector, level = self.detector, self._level.level
        raised = min(factor * level, (1 + level) / 2)
        if self._is_independent:
            return float(RunLength(detector, np.array([raised])).at(detector.threshold)[0])
        drift = raised * detector.up + (1 - raised) * detector.down
        rows = int(min(max(20 * detector.threshold / drift, 100), _LONGEST_RUN)) if drift > 0 else _LONGEST_RUN
        is_over = self._in_blocks(np.full(max(_CHUNK // rows, _FEWEST_DELAYS), raised), rows) > detector.threshold
        simulated = float(np.where(is_over.any(axis=1), is_over.argmax(axis=1) + 1, rows).mean())
        return simulated * (1 + _BURSTS_DELAY * math.log(self._level.inflation))

    def details(self) -> dict[str, Any]:
        """What the detector rests on, and what it costs.

        The level `p0` that is watched with the level's 95 % interval, `rows` it was found on, `rows_learnt` of them
        after the reference, `inflation`, `block`, `preset`, `odds`, `arl0`, `threshold`, `threshold_tenfold` (that of
        ten times as many false alarms), `delay_doubled`: the mean number of labelled rows until a doubled error level
        is seen; and `statement`, the same for a reader.
        """
        level, settings = self._level, self._settings
        doubled = self.delay(2)
        return {
            "p0": self.detector.level,
            "p0_interval": betaincinv(*posterior(level), _INTERVAL).tolist(),
            "rows": level.rows,
            "rows_learnt": self._rows_learnt,
            "inflation": level.inflation,
            "block": level.block,
            "source": level.source,
            "preset": settings.detector_preset,
            "odds": self.detector.odds,
            "arl0": settings.detector_arl0,
            "threshold": self.detector.threshold,
            "threshold_tenfold": self.tenfold,
            "delay_doubled": doubled,
            "statement": _statement(level, self._rows_learnt, settings.detector_arl0, doubled),
        }

    def _by_run_length(self) -> tuple[float, float]:
        """The threshold, and the lower one at which alarms are ten times as frequent."""
        arl0, is_known = self._settings.detector_arl0, self._settings.detector_preset == CONSERVATIVE
        levels = np.array([self.detector.level]) if is_known else betaincinv(*posterior(self._level), _LEVELS)
        run_length = RunLength(self.detector, np.clip(levels, 1e-9, 1 - 1e-9))
        return _threshold(run_length, arl0), _threshold(run_length, arl0 / _TENFOLD)

    def _by_blocks(self) -> tuple[float, float]:
        level, arl0 = self._level, self._settings.detector_arl0
        rows = min(arl0, _LONGEST_RUN)
        runs = min(max(_CELLS // rows, _FEWEST_RUNS), _MOST_RUNS)
        if self._settings.detector_preset == CONSERVATIVE:
            levels = np.full(runs, self.detector.level)
        else:
            levels = self._rng.beta(*posterior(level), size=runs)
        step = max(_CHUNK // rows, 1)
        highest, soon = [], []
        for start in range(0, runs, step):
            paths = self._in_blocks(levels[start : start + step], rows)
            highest.append(paths.max(axis=1))
            soon.append(paths[:, : max(arl0 // _TENFOLD, 1)].max(axis=1))
        threshold = float(np.quantile(np.concatenate(highest), math.exp(-rows / arl0), method="higher"))
        tenfold = float(np.quantile(np.concatenate(soon), math.exp(-1), method="higher"))
        return max(threshold, float(_paths(self.detector, sequence_of(level)[None]).max())), tenfold

    def _in_blocks(self, levels: np.ndarray, rows: int) -> np.ndarray:
        """The statistic on stretches of the reference's blocks at some levels, shape (levels, rows)."""
        errors, block, rng = sequence_of(self._level), self._level.block, self._rng
        around = np.concatenate([errors, errors[:block]])
        share = self._level.errors / self._level.rows
        starts = rng.integers(0, len(errors), size=(len(levels), rows // block + 1))
        drawn = around[starts[:, :, None] + np.arange(block)].reshape(len(levels), -1)[:, :rows]
        chance = rng.random(drawn.shape, np.float32)
        kept, added = np.minimum(levels / share, 1.0), np.maximum((levels - share) / (1 - share), 0.0)
        return _paths(self.detector, np.where(drawn, chance < kept[:, None], chance < added[:, None]))


def odds_of(settings: Settings, level: ErrorLevel) -> float:
    """The odds ratio that the CUSUM is tuned to: errors that come in bursts rise by a little all the time."""
    odds = settings.detector_odds if level.inflation <= 1 else settings.detector_burst_odds
    return min(odds, _CONSERVATIVE_ODDS) if settings.detector_preset == CONSERVATIVE else odds


def _statement(level: ErrorLevel, rows_learnt: int, arl0: int, doubled: float) -> str:
    learnt = f" and {rows_learnt:,} that raised no alarm" if rows_learnt else ""
    bursts = f", errors come in bursts (inflation {level.inflation:.1f})" if level.inflation > 1 else ""
    rows = level.rows - rows_learnt
    return (
        f"one false alarm in {arl0:,} labelled rows, by a reference of {rows:,} rows{learnt}{bursts}; "
        f"at this price you will see a doubling after about {float(f'{doubled:.2g}'):,.0f} labelled rows"
    )


def _threshold(run_length: RunLength, rows: float) -> float:
    """At which alarms come once in so many rows on the average over some levels."""
    low, high = 0.0, _HIGHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (1 / run_length.at(middle)).mean() > 1 / rows:
            low = middle
        else:
            high = middle
    return high


def _paths(detector: BernoulliCusum, errors: np.ndarray) -> np.ndarray:
    """The statistic after each of the errors, shape (runs, rows), as Lindley's recursion gives it."""
    sums = np.cumsum(np.where(errors, detector.up, detector.down), axis=1)
    return sums - np.minimum(np.minimum.accumulate(sums, axis=1), 0.0)
