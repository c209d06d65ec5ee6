"""The price of an alarm: the threshold of the concept detector from the false-alarm rate that was set."""

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import beta

from leeway.errors import ProfileError
from leeway.profile import ErrorLevel, Profile
from leeway.settings import Settings

from .detectors.bernoulli_cusum import BernoulliCusum
from .error_level import sequence_of

_LONGEST_RUN = 50_000
_CELLS, _FEWEST_RUNS, _MOST_RUNS = 10_000_000, 200, 1_000
_CHUNK = 1_000_000
_FEWEST_DELAYS = 40
_INTERVAL = (0.025, 0.975)

Draw = Callable[[np.ndarray, int], np.ndarray]


def cusum_for(profile: Profile, settings: Settings) -> tuple[BernoulliCusum, dict[str, Any]]:
    """The concept detector of a profile, and what its threshold rests on; ProfileError without an error level.

    In control the run length until a false alarm is `detector.arl0` labelled rows: of stretches of that length, a
    share of 1 - 1/e holds one. The threshold is that quantile of the largest statistics of simulated stretches. In
    each the true error level is drawn anew from what the reference's rows say about it (beta, Jeffreys' prior, rows
    counting as rows / inflation), so that its uncertainty is part of the price.

    Where errors look independent, stretches are independent errors. Else they are put together from blocks of the
    reference's errors that outlast their correlation, in which errors are added or taken away at random to meet the
    drawn level. Such stretches are only as good as the blocks, so there the threshold is not below what the
    reference's own errors reach in their order. Runs are seeded from the profile: the same profile has the same
    threshold. Stretches longer than 50,000 rows are judged by their first 50,000, which errs towards fewer alarms.

    Details: the level `p0` with its 95 % interval, `rows` it was found on, `inflation`, `block`, `odds`, `arl0`,
    `threshold`, and `delay_doubled`, the mean number of labelled rows until a doubled error level is seen (more
    where the additional errors come in bursts).
    """
    level = profile.errors
    if level is None:
        raise ProfileError("the profile has no error level: the first `warming.rows` labelled rows set it")
    rng = np.random.default_rng([level.rows, level.errors, zlib.crc32(level.sequence)])
    draw = _independent(rng) if level.inflation <= 1 else _in_blocks(level, rng)
    threshold = _threshold(level, settings, draw, rng)
    detector = BernoulliCusum(level.level, settings.detector_odds, threshold)
    low, high = (float(beta.ppf(q, *_posterior(level))) for q in _INTERVAL)
    return detector, {
        "p0": level.level,
        "p0_interval": [low, high],
        "rows": level.rows,
        "inflation": level.inflation,
        "block": level.block,
        "source": level.source,
        "odds": settings.detector_odds,
        "arl0": settings.detector_arl0,
        "threshold": threshold,
        "delay_doubled": _delay(detector, min(2 * level.level, (1 + level.level) / 2), draw),
    }


def _posterior(level: ErrorLevel) -> tuple[float, float]:
    return level.errors / level.inflation + 0.5, (level.rows - level.errors) / level.inflation + 0.5


def _threshold(level: ErrorLevel, settings: Settings, draw: Draw, rng: np.random.Generator) -> float:
    rows = min(settings.detector_arl0, _LONGEST_RUN)
    runs = min(max(_CELLS // rows, _FEWEST_RUNS), _MOST_RUNS)
    levels = rng.beta(*_posterior(level), size=runs)
    detector = BernoulliCusum(level.level, settings.detector_odds, math.inf)
    step = max(_CHUNK // rows, 1)
    highest = [_paths(detector, draw(levels[i : i + step], rows)).max(axis=1) for i in range(0, runs, step)]
    reached = np.quantile(np.concatenate(highest), math.exp(-rows / settings.detector_arl0), method="higher")
    if level.inflation <= 1:
        return float(reached)
    return float(max(reached, _paths(detector, sequence_of(level)[None]).max()))


def _delay(detector: BernoulliCusum, raised: float, draw: Draw) -> float:
    """Mean rows until the alarm at the error level `raised`."""
    drift = raised * detector.up + (1 - raised) * detector.down
    rows = int(min(max(20 * detector.threshold / drift, 100), _LONGEST_RUN)) if drift > 0 else _LONGEST_RUN
    runs = max(_CHUNK // rows, _FEWEST_DELAYS)
    crossed = _paths(detector, draw(np.full(runs, raised), rows))
    is_over = crossed > detector.threshold
    return float(np.where(is_over.any(axis=1), is_over.argmax(axis=1) + 1, rows).mean())


def _paths(detector: BernoulliCusum, errors: np.ndarray) -> np.ndarray:
    """The statistic after each of the errors, shape (runs, rows), as Lindley's recursion gives it."""
    sums = np.cumsum(np.where(errors, detector.up, detector.down), axis=1)
    return sums - np.minimum(np.minimum.accumulate(sums, axis=1), 0.0)


def _independent(rng: np.random.Generator) -> Draw:
    def draw(levels: np.ndarray, rows: int) -> np.ndarray:
        return rng.random((len(levels), rows), np.float32) < levels[:, None]

    return draw


def _in_blocks(level: ErrorLevel, rng: np.random.Generator) -> Draw:
    errors, block = sequence_of(level), level.block
    around = np.concatenate([errors, errors[:block]])
    share = level.errors / level.rows

    def draw(levels: np.ndarray, rows: int) -> np.ndarray:
        starts = rng.integers(0, len(errors), size=(len(levels), rows // block + 1))
        drawn = around[starts[:, :, None] + np.arange(block)].reshape(len(levels), -1)[:, :rows]
        chance = rng.random(drawn.shape, np.float32)
        kept, added = np.minimum(levels / share, 1.0), np.maximum((levels - share) / (1 - share), 0.0)
        return np.where(drawn, chance < kept[:, None], chance < added[:, None])

    return draw
