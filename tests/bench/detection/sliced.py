"""Errors of rows that lie in the slices of several slicings, without drift, and with one slice whose rate doubles."""

from dataclasses import dataclass, replace

import numpy as np

from leeway.settings import Settings
from monitoring.calibrate import Calibration
from monitoring.error_level import error_level_from

SHARES = ((0.25, 0.25, 0.25, 0.25), (0.6, 0.3, 0.1), (0.8, 0.2), (0.5, 0.3, 0.15, 0.05))  # by slicing
ARL0, LEVEL_ROWS, RATE = 5_000, 2_000, 0.15
NULL_ROWS = 4 * ARL0
MOVED = (1, 1)  # the slicing and the slice whose error rate doubles


@dataclass(frozen=True)
class SlicedResult:
    """Of one stream: how many stretches of ARL0 rows hold a first false alarm, of how many; false alarms, first ones
    and those that follow; after one slice's rate doubled, which (slicing, slice) alarmed first and after how many
    rows of the endpoint."""

    stretches_with_alarm: int
    stretches: int
    alarms: int
    first: tuple[int, int] | None
    delay: int


def sliced_result(seed: int) -> SlicedResult:
    """Every slice's level is set by its first 2,000 rows, as a reference would."""
    rng = np.random.default_rng([seed, 5])
    settings = replace(Settings(), detector_arl0=ARL0 * len(SHARES))
    codes = [rng.choice(len(shares), NULL_ROWS + 20_000, p=shares) for shares in SHARES]
    rates = np.full(len(codes[0]), RATE)
    rates[NULL_ROWS:][codes[MOVED[0]][NULL_ROWS:] == MOVED[1]] = 2 * RATE
    errors = (rng.random(len(rates)) < rates).astype(np.int8)
    rows, first, delay = [], None, len(errors)
    for slicing, code in enumerate(codes):
        for slice_ in range(len(SHARES[slicing])):
            level = error_level_from(rng.random(LEVEL_ROWS) < RATE)
            detector = Calibration(level, settings).detector
            mine = np.flatnonzero(code == slice_)
            rows += mine[detector.update_many(errors[mine[mine < NULL_ROWS]])].tolist()
            later = mine[mine >= NULL_ROWS]
            if (found := detector.update_many(errors[later])) and later[found[0]] - NULL_ROWS < delay:
                first, delay = (slicing, slice_), int(later[found[0]]) - NULL_ROWS
    held = len({row // ARL0 for row in rows})
    return SlicedResult(held, NULL_ROWS // ARL0, len(rows), first, delay)
