"""A weighted draw."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

# From a number of [0, 1) to (which of the weights it falls on, its share of them all)
Draw = Callable[[float], tuple[int, float]]


def draw(weights: Sequence[float]) -> Draw:
    """Prepared, as the same weights are drawn from many times. Those that are 0 are never drawn.

    >>> among = draw([90, 10])
    >>> among(0.3), among(0.95)
    ((0, 0.9), (1, 0.1))
    """
    total = sum(weights)
    found = [(i, weight / total) for i, weight in enumerate(weights) if weight > 0]
    bounds = list(accumulate(weights[i] for i, _ in found))[:-1]
    return lambda at: found[bisect_right(bounds, at * total)]
