"""Shares and their differences with what chance alone makes of them, at 95 %."""

import math

_Z = 1.959964


def share_interval(count: float, rows: float, inflation: float = 1.0) -> tuple[float, float] | None:
    """Wilson's interval of a share; autocorrelation makes n rows worth n / inflation. None of no rows.

    Wilson (1927), Probable inference, the law of succession, and statistical inference.

    >>> tuple(round(x, 3) for x in share_interval(10, 100))
    (0.055, 0.174)
    """
    if rows <= 0:
        return None
    p, n = count / rows, rows / max(inflation, 1.0)
    centre, scale = p + _Z**2 / (2 * n), 1 + _Z**2 / n
    half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def difference_interval(count: float, rows: float, other_count: float, other_rows: float) -> tuple[float, float] | None:
    """Newcombe's hybrid interval of the difference of two shares (the first less the other); None where one has no
    rows.

    Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.

    >>> tuple(round(x, 4) for x in difference_interval(56, 70, 48, 80))
    (0.0524, 0.3339)
    """
    one, other = share_interval(count, rows), share_interval(other_count, other_rows)
    if one is None or other is None:
        return None
    p, q = count / rows, other_count / other_rows
    return (
        p - q - math.hypot(p - one[0], other[1] - q),
        p - q + math.hypot(one[1] - p, q - other[0]),
    )


def mean_difference_interval(
    mean: float, variance: float, n: float, other_mean: float, other_variance: float, other_n: float
) -> tuple[float, float] | None:
    """Of the difference of two means of many values; None where one has fewer than two.

    >>> tuple(round(x, 2) for x in mean_difference_interval(3.0, 1.0, 100, 2.0, 1.0, 100))
    (0.72, 1.28)
    """
    if n < 2 or other_n < 2:
        return None
    half = _Z * math.sqrt(variance / n + other_variance / other_n)
    return mean - other_mean - half, mean - other_mean + half
