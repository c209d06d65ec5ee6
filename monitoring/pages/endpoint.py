"""One endpoint: what it was asked, how fast and how well it answered, and whether the world has moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leeway.profile import ErrorLevel
from leeway.record import Incident

from ..series import (
    CONCEPT,
    CONCEPT_THRESHOLD,
    DATA,
    DATA_THRESHOLD,
    ERROR,
    FAILURES,
    LABEL_LAG_S,
    LABELLED,
    LATENCY_US,
    REQUESTS,
    ROWS,
)  # fmt: skip
from .chart import Chart, Line, bands_of, quantile_lines, rate, values
from .decisions import decisions
from .drawn_features import drawn_features
from .intervals import share_interval
from .page import NotThere, Page
from .source import Source
from .span import Span
from .standing import standing

_TWO_SIDED_95 = 1.96

Stretches = Sequence[tuple[Incident, int | None]]


def endpoint(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """The endpoint that `name` names."""
    name = query.get("name", "")
    watched = source.watched()
    if name not in watched:
        raise NotThere(f"no endpoint is called {name!r}; the overview lists them")
    key, incidents = watched[name].key, source.incidents(name)
    window = source.last_window(name, key, span.end)
    profile = source.profile(name)
    marks, stretches = marks_of(source, key, span), [(each, source.closed_at(each, key)) for each in incidents]
    return Page(
        f"Endpoint {name}",
        "endpoint.html",
        {
            "standing": standing(source, span, name, incidents),
            "incidents": incidents[::-1],
            "window": window,
            "features": drawn_features(source, profile, window, key) if profile and window else "",
            "profile": profile,
            "versions": versions_of(source, key, span),
            "marks": marks,
        },
        lambda: {
            **traffic_charts(source, name, span, stretches, marks),
            **drift_charts(source, name, span, stretches, marks, profile.errors if profile else None),
        },
    )


@dataclass(frozen=True)
class Version:
    """A version, arm or shadow of a deployment: what it answered in a span, and how much of it was wrong."""

    endpoint: str
    requests: int
    share: float | None
    error: float | None
    interval: tuple[float, float] | None


def versions_of(source: Source, key: str, span: Span) -> list[Version]:
    """All that answered for a deployment, in order; `share` is that of its requests."""
    names = [name for name, about in source.watched().items() if about.key == key]
    counts = {name: sum(point.count for point in source.points(REQUESTS, name, span)) for name in names}
    found = []
    for name in names:
        errors = source.points(ERROR, name, span)
        wrong, rows = sum(point.total for point in errors), sum(point.count for point in errors)
        share = counts[name] / sum(counts.values()) if counts[name] else None
        found.append(Version(name, counts[name], share, wrong / rows if rows else None, share_interval(wrong, rows)))
    return found


def traffic_charts(
    source: Source, name: str, span: Span, incidents: Stretches, marks: Sequence[tuple[int, str]]
) -> dict[str, Chart]:
    """Requests, latencies, failures and labels."""
    found = {
        series: source.points(series, name, span)
        for series in (REQUESTS, FAILURES, LATENCY_US, ROWS, LABELLED, LABEL_LAG_S)
    }
    bands = bands_of(incidents, span)
    lags = values(span, found[LABEL_LAG_S], lambda point: point.total / point.count)
    return {
        "requests": Chart(span, "/s", [Line("requests", rate(span, found[REQUESTS]))], bands, marks),
        "latency": Chart(span, "ms", quantile_lines(span, found[LATENCY_US]), bands, marks),
        "answers": Chart(span, "/s", [
            Line("2xx", _less(rate(span, found[REQUESTS]), rate(span, found[FAILURES]))),
            Line("5xx", rate(span, found[FAILURES]), "alarm"),
        ], bands, marks),
        "labels": Chart(span, "/s", [
            Line("rows", rate(span, found[ROWS])), Line("labelled", rate(span, found[LABELLED]), "second"),
        ], (), marks),
        "label_lag": Chart(span, "s", [Line("from answer to truth", lags)], (), marks),
    }  # fmt: skip


def drift_charts(
    source: Source,
    name: str,
    span: Span,
    incidents: Stretches,
    marks: Sequence[tuple[int, str]],
    level: ErrorLevel | None,
) -> dict[str, Chart]:
    """The error level with the band of its reference; each detector's statistic with its threshold."""
    errors = source.points(ERROR, name, span)
    lines = [Line("error rate", values(span, errors, lambda point: point.total / point.count))]
    between = None
    if level is not None:
        bounds = [band(level, point.count) for point in errors]
        for i, label in enumerate(("lowest likely", "highest likely")):
            known = {point.bucket: bound[i] for point, bound in zip(errors, bounds)}
            lines.append(Line(label, values(span, errors, lambda point, known=known: known[point.bucket]), "reference"))
        between = (2, 3)
    charts = {"errors": Chart(span, "", lines, bands_of(incidents, span, CONCEPT), marks, between)}
    for title, series, limit in (("concept", CONCEPT, CONCEPT_THRESHOLD), ("data", DATA, DATA_THRESHOLD)):
        charts[title] = Chart(span, "", [
            Line("statistic", values(span, source.points(series, name, span), lambda point: point.high)),
            Line("threshold", values(span, source.points(limit, name, span), lambda point: point.high), "alarm"),
        ], bands_of(incidents, span, series), marks)  # fmt: skip
    return charts


def band(level: ErrorLevel, rows: int) -> tuple[float, float]:
    """Where the error rate of so many rows lies 19 times of 20 while nothing changes."""
    p = level.level
    deviation = np.sqrt(p * (1 - p) * level.inflation * (1 / rows + 1 / level.rows))
    return max(0.0, p - _TWO_SIDED_95 * deviation), min(1.0, p + _TWO_SIDED_95 * deviation)


def marks_of(source: Source, key: str, span: Span) -> list[tuple[int, str]]:
    """What was done to a deployment in a span: versions that answered for the first time, decisions."""
    marks = []
    for name, about in source.watched().items():
        if about.key == key and (first := source.first_second(name)) is not None and span.start <= first < span.end:
            marks.append((first, f"{name.rpartition('/')[2]} answers"))
    marks += [(each.appended, each.text) for each in decisions(source, key, span.days) if each.appended >= span.start]
    return sorted(marks)


def _less(numbers: Sequence[float | None], others: Sequence[float | None]) -> list[float | None]:
    return [round((a or 0.0) - (b or 0.0), 6) for a, b in zip(numbers, others)]
