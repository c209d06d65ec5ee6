"""Latency histograms: log-spaced bins, eight to a doubling, so that a bin is 9 % wide at any latency.

Bin `b` holds latencies from 2**(b/8) to 2**((b+1)/8) microseconds; what is below 1 us is in bin 0. Sums of such
histograms over time still give quantiles, with the error of half a bin (4.5 %).
"""

from collections.abc import Mapping

import numpy as np

BINS_PER_DOUBLING = 8


def histogram(latencies_us: np.ndarray) -> dict[int, int]:
    """Counts by bin of `latencies_us`, shape (n,).

    >>> histogram(np.array([1, 1, 1000]))
    {0: 2, 79: 1}
    """
    bins = np.floor(BINS_PER_DOUBLING * np.log2(np.maximum(latencies_us, 1))).astype(int)
    found, counts = np.unique(bins, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist()))


def edges_us(bin_number: int) -> tuple[float, float]:
    """The lower and the upper edge of a bin in microseconds."""
    return 2 ** (bin_number / BINS_PER_DOUBLING), 2 ** ((bin_number + 1) / BINS_PER_DOUBLING)


def quantile_us(counts: Mapping[int, int], q: float) -> float:
    """The q-quantile (0..1) in microseconds, NaN of an empty histogram; within a bin latencies spread evenly in log.

    >>> round(quantile_us({0: 2, 79: 1}, 1.0))
    1024
    """
    rank = q * sum(counts.values())
    below = 0
    for number, count in sorted(counts.items()):
        if count and below + count >= rank:
            return 2 ** ((number + (rank - below) / count) / BINS_PER_DOUBLING)
        below += count
    return float("nan")
