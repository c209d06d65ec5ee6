"""How long errors in time order remember each other."""

import math

import numpy as np
from scipy.special import chdtrc

_SMALLEST, _LEAST_BLOCKS = 8, 8
_SIGNIFICANCE = 0.05
_LENGTHS_PER_BLOCK, _FEWEST_BLOCKS, _MOST_BLOCKS = 5, 5, 25
_LENGTHS = 60


def correlation(errors: np.ndarray) -> tuple[float, int]:
    """(inflation, block) of zeros and ones in time order, shape (n,).

    Inflation is by how much autocorrelation inflates the variance of the errors' mean; a block of that many rows is
    nearly independent of the next. (1, 1) where window means, over windows of 8 rows up to an eighth of all, do not
    vary significantly more than those of independent errors (chi-square, level .05 over all sizes). Else the variances
    are described by an autocorrelation a exp(-k / length), fitted by weighted least squares, and a block is five
    lengths, but at least a twenty-fifth of the rows (slower parts hide behind the fastest) and at most a fifth.

    >>> import numpy as np
    >>> from monitoring.detectors.correlation import correlation
    >>> rng = np.random.default_rng(0)
    >>> correlation(rng.random(5_000) < 0.2)
    (1.0, 1)
    >>> regime = np.repeat(rng.random(50) < 0.5, 100)
    >>> correlation(rng.random(5_000) < np.where(regime, 0.3, 0.1))[0] > 3
    True
    """
    x = np.asarray(errors, float)
    n, variance = len(x), float(x.var())
    sizes = _sizes(n)
    if not variance or not len(sizes):
        return 1.0, 1
    degrees = n // sizes - 1
    observed = np.array([_window_means(x, size).var(ddof=1) * size / variance for size in sizes])
    if chdtrc(degrees, observed * degrees).min() * len(sizes) >= _SIGNIFICANCE:
        return 1.0, 1
    height, length = _fit(observed, degrees / (2 * observed**2), sizes, n)
    phi = math.exp(-1 / length)
    block = min(max(math.ceil(_LENGTHS_PER_BLOCK * length), n // _MOST_BLOCKS), n // _FEWEST_BLOCKS)
    return max(1.0, 1 + height * 2 * phi / (1 - phi)), block


def _sizes(n: int) -> np.ndarray:
    """Window sizes, each twice the one before."""
    largest = n // _LEAST_BLOCKS
    return np.array([_SMALLEST << i for i in range(max(0, (largest // _SMALLEST).bit_length()))])


def _window_means(x: np.ndarray, size: int) -> np.ndarray:
    return x[: len(x) // size * size].reshape(-1, size).mean(axis=1)


def _fit(observed: np.ndarray, weights: np.ndarray, sizes: np.ndarray, n: int) -> tuple[float, float]:
    """Height and length of the autocorrelation whose variances of window means are nearest to the observed ones."""
    best = (math.inf, 0.0, 1.0)
    for length in np.geomspace(0.5, n / 10, _LENGTHS):
        # window means vary about the mean of all n rows, which takes its own variance away
        excess = (_excess(length, sizes) - sizes / n * _excess(length, n)) / (1 - sizes / n)
        height = float((weights * excess * (observed - 1)).sum() / (weights * excess * excess).sum())
        height = min(max(height, 0.0), 1.0)
        distance = float((weights * (observed - 1 - height * excess) ** 2).sum())
        best = min(best, (distance, height, float(length)))
    return best[1], best[2]


def _excess(length: float, size: np.ndarray | int) -> np.ndarray:
    """The excess variance of a mean over `size` rows with autocorrelation exp(-k / length)."""
    phi = math.exp(-1 / length)
    return 2 * (phi / (1 - phi) - phi * (1 - phi**size) / (size * (1 - phi) ** 2))
