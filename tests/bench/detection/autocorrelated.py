"""Streams of errors that come in bursts: y ~ Bernoulli(sigmoid(a + sd z)), z an autoregression of order one."""

import math

import numpy as np
from scipy.signal import lfilter

REFERENCE_ROWS, ROWS, RAISED_ROWS, RATE = 5_000, 20_000, 8_000, 0.2
# (sd, phi): the share of null rows that may lie in an open incident
CASES = {(1.0, 0.98): 0.12, (1.2, 0.995): 0.25}


def bursts(rng: np.random.Generator, rows: int, rate: float, sd: float, phi: float) -> np.ndarray:
    """Errors whose log odds move about those of `rate`, int8 of shape (rows,)."""
    steps = rng.normal(size=rows)
    steps[1:] *= math.sqrt(1 - phi * phi)
    z = lfilter([1.0], [1.0, -phi], steps)
    chance = 1 / (1 + np.exp(-(math.log(rate / (1 - rate)) + sd * z)))
    return (rng.random(rows) < chance).astype(np.int8)


def burst_stream(seed: int, sd: float, phi: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A reference, rows on which nothing changes, and rows with the rate doubled."""
    rng = np.random.default_rng([seed, round(sd * 1_000), round(phi * 1_000)])
    quiet = bursts(rng, REFERENCE_ROWS + ROWS, RATE, sd, phi)
    raised = bursts(rng, RAISED_ROWS, 2 * RATE, sd, phi)
    return quiet[:REFERENCE_ROWS], quiet[REFERENCE_ROWS:], raised
