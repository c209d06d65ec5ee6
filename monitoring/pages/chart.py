"""Charts as the page's script draws them, from points that were summed up per bucket."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from leeway.interfaces import Point
from leeway.record import Incident

from ..latency import quantile_us
from .numbers import short
from .span import Span

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Line:
    """One line; `tone` names its colour (line, reference, alarm, second, third), `values` holds one per bucket."""

    label: str
    values: list[float | None]
    tone: str = "line"


@dataclass(frozen=True)
class Chart:
    """`bands` are stretches of time [from, to, label], `marks` moments [at, label]; `between` names two lines whose
    space is filled."""

    span: Span
    unit: str
    lines: Sequence[Line]
    bands: Sequence[tuple[int, int, str]] = ()
    marks: Sequence[tuple[int, str]] = ()
    between: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "start": self.span.start,
            "step": self.span.step,
            "unit": self.unit,
            "lines": [{"label": line.label, "tone": line.tone, "values": line.values} for line in self.lines],
            "bands": [list(band) for band in self.bands],
            "marks": [list(mark) for mark in self.marks],
            "between": self.between,
        }


def values(
    span: Span, points: Sequence[Point], of: Callable[[Point], float], empty: float | None = None
) -> list[float | None]:
    """A value for each bucket of a span; `empty` where there is no point."""
    filled: list[float | None] = [empty] * span.buckets
    for point in points:
        place = (point.bucket - span.start) // span.step
        if 0 <= place < len(filled):
            filled[place] = short(of(point))
    return filled


def rate(span: Span, points: Sequence[Point]) -> list[float | None]:
    """Counts a second; nothing is zero."""
    return values(span, points, lambda point: point.count / span.step, 0.0)


def quantile_lines(span: Span, points: Sequence[Point], prefix: str = "") -> list[Line]:
    """p50, p95 and p99 in milliseconds."""
    tones = ("line", "second", "third")
    return [
        Line(f"{prefix}p{q * 100:.0f}", values(span, points, lambda p, q=q: quantile_us(p.histogram, q) / 1e3), tone)
        for q, tone in zip(QUANTILES, tones)
    ]


def bands_of(
    stretches: Sequence[tuple[Incident, int | None]], span: Span, kind: str = ""
) -> list[tuple[int, int, str]]:
    """Incidents, each with when it closed, as stretches of a span; an open one goes on to its end."""
    found = []
    for incident, closed in stretches:
        begin, end = incident.opened.appended, closed or span.end
        if kind in ("", incident.kind) and begin < span.end and end >= span.start:
            name = incident.detector.replace("_", " ")
            found.append((max(begin, span.start), min(max(end, begin + span.step), span.end), name))
    return found


def merged(points: Sequence[Point]) -> dict[int, int]:
    """The histogram of all of them."""
    total: dict[int, int] = {}
    for point in points:
        for number, count in point.histogram.items():
            total[number] = total.get(number, 0) + count
    return total
