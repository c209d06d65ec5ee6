"""A weighted draw."""

from collections.abc import Sequence


def draw(weights: Sequence[float], at: float) -> tuple[int, float]:
    """(which of the weights a number `at` from [0, 1) falls on, its share of them all). Shares that are 0 are never
    drawn.

    >>> draw([90, 10], 0.3), draw([90, 10], 0.95)
    ((0, 0.9), (1, 0.1))
    """
    total = sum(weights)
    left, last = at * total, 0
    for i, weight in enumerate(weights):
        if weight > 0:
            last = i
            if left < weight:
                break
            left -= weight
    return last, weights[last] / total
