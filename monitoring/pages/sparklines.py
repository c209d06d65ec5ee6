"""A small line beside each number of the overview: how it went over the time that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from leeway.interfaces import Point

from ..latency import quantile_us
from ..series import ERROR, FAILURES, LABELLED, LATENCY_US, REQUESTS
from .chart import merged
from .source import Source
from .span import Span

POINTS, WIDTH, HEIGHT = 40, 156, 40  # in units of half a pixel


@dataclass(frozen=True)
class Sparklines:
    """Paths of an SVG, each from zero to its own highest value; `level` is where the error rate's reference lies."""

    requests: str
    p95: str
    failed: str
    labelled: str
    errors: str
    level: float | None


def sparklines(source: Source, span: Span, endpoint: str, level: float | None) -> Sparklines:
    """Of one endpoint; `level` is the error rate of its reference."""
    series = (REQUESTS, LATENCY_US, FAILURES, LABELLED, ERROR)
    requests, latencies, failures, labelled, errors = (
        _groups(span, source.points(name, endpoint, span)) for name in series
    )
    asked = [sum(point.count for point in some) for some in requests]
    failed = [sum(point.count for point in some) for some in failures]
    wrong = [_mean(some) for some in errors]
    highest = max([level or 0.0, *(share for share in wrong if share is not None)])
    return Sparklines(
        path(asked),
        path([quantile_us(merged(some), 0.95) if some else None for some in latencies]),
        path([bad / n if n else None for bad, n in zip(failed, asked)]),
        path([sum(point.count for point in some) for some in labelled]),
        path(wrong, highest),
        None if level is None or not highest else _y(level, highest),
    )


def path(values: Sequence[float | None], top: float = 0.0) -> str:
    """The `d` of a path; it is broken where nothing is known. The highest value, at least `top`, is at its upper edge.

    >>> path([0, 2, None, 1])
    'M0,39L52,1M156,20h0'
    """
    top = max([top, *(value for value in values if value is not None)], default=top) or 1.0
    across, parts, before = WIDTH / max(len(values) - 1, 1), [], None
    for i, value in enumerate(values):
        if value is not None:
            is_alone = before is None and (i + 1 == len(values) or values[i + 1] is None)
            parts.append(f"{'M' if before is None else 'L'}{i * across:.0f},{_y(value, top):.0f}{'h0' * is_alone}")
        before = value
    return "".join(parts)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - 1 - value / top * (HEIGHT - 2), 1)


def _groups(span: Span, points: Sequence[Point]) -> list[list[Point]]:
    """The points of each fortieth of the span."""
    groups: list[list[Point]] = [[] for _ in range(POINTS)]
    for point in points:
        place = (point.bucket - span.start) * POINTS // span.seconds
        if 0 <= place < POINTS:
            groups[place].append(point)
    return groups


def _mean(points: Sequence[Point]) -> float | None:
    count = sum(point.count for point in points)
    return sum(point.total for point in points) / count if count else None
