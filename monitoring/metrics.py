"""What the drift function says to Prometheus. Whoever fills the stream with names makes no series: the first 200
endpoints and the first 200 deployments have some of their own, the rest is left out and counted."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from leeway.errors import StoreError
from leeway.outbox_waiting import outboxes_below
from leeway.settings import Settings

from .incidents import OPEN
from .lag import lag_of
from .queries import Queries
from .series import (
    CONCEPT,
    CONCEPT_THRESHOLD,
    DATA,
    DATA_THRESHOLD,
    ERROR,
    LABEL_LAG_S,
    LABELLED,
    ROWS,
)

MOST = 200
_HOUR_S = 3_600
_LIMITS = {CONCEPT: CONCEPT_THRESHOLD, DATA: DATA_THRESHOLD}


def metrics(queries: Queries, settings: Settings, now: int) -> bytes:
    """Prometheus' text format; ratios and lags are of the hour before `now` (epoch seconds)."""
    registry = CollectorRegistry()
    registry.register(
        _Collected(
            [
                *_of_records(queries),
                *_of_streams(queries, settings),
                *_of_outboxes(settings),
                *_of_endpoints(queries, now),
            ]
        )
    )
    return generate_latest(registry)


class _Collected:
    """Families that were made already, as prometheus_client wants them."""

    def __init__(self, families: list[Any]):
        self._families = families

    def collect(self) -> Iterator[Any]:
        yield from self._families


def _of_records(queries: Queries) -> Iterator[Any]:
    records = CounterMetricFamily(
        "leeway_records", "Records and what became of them", labels=["deployment", "kind", "outcome"]
    )
    keys = queries.deployments()
    for key in keys[:MOST]:
        for kind, outcome, n in _flat(queries.counts(key)):
            records.add_metric([key, kind, outcome], n)
    yield records
    left_out = GaugeMetricFamily("leeway_left_out", "Names that have no series of their own", labels=["of"])
    left_out.add_metric(["deployments"], max(0, len(keys) - MOST))
    left_out.add_metric(["endpoints"], max(0, len(queries.endpoints()) - MOST))
    yield left_out


def _of_streams(queries: Queries, settings: Settings) -> Iterator[Any]:
    position = GaugeMetricFamily("leeway_position", "First offset that is not committed", labels=["stream", "shard"])
    waiting = GaugeMetricFamily("leeway_stream_lag", "Messages that no consumer has committed", labels=["stream"])
    lost = CounterMetricFamily("leeway_stream_lost", "Messages that went before they were read", labels=["stream"])
    consumers = queries.consumers()
    for shown in consumers:
        position.add_metric([shown.stream, str(shown.shard)], shown.position)
    for stream in sorted({shown.stream for shown in consumers}):
        try:
            lag = lag_of(stream, settings, queries)
        except StoreError:
            continue  # no figure is better than a wrong one
        waiting.add_metric([stream], lag.waiting)
        lost.add_metric([stream], lag.lost)
    yield from (position, waiting, lost)


def _of_outboxes(settings: Settings) -> Iterator[Any]:
    """Of those that lie on this disk."""
    waiting = GaugeMetricFamily(
        "leeway_outbox_waiting_bytes", "Bytes in outboxes that the stream does not have", labels=["function"]
    )
    dropped = GaugeMetricFamily("leeway_outbox_dropped", "Records that outboxes dropped", labels=["function", "reason"])
    for outbox in outboxes_below(settings.home / "outbox")[:MOST]:
        waiting.add_metric([outbox["function"]], outbox["waiting_bytes"])
        for reason, n in outbox["dropped"].items():
            dropped.add_metric([outbox["function"], reason], n)
    yield from (waiting, dropped)


def _of_endpoints(queries: Queries, now: int) -> Iterator[Any]:
    gauge = GaugeMetricFamily
    ratio = gauge("leeway_error_ratio", "Share of the last hour's labelled rows that were wrong", labels=["endpoint"])
    level = gauge("leeway_reference_error_ratio", "The same on rows that it was not fitted on", labels=["endpoint"])
    coverage = gauge("leeway_label_coverage_ratio", "Labelled rows to rows of the last hour", labels=["endpoint"])
    lag = gauge("leeway_label_lag_seconds", "Mean time from answer to truth, likewise", labels=["endpoint"])
    troubled = gauge("leeway_endpoint_troubled", "Whether it is not watched, as watching raised", labels=["endpoint"])
    drift = {
        "is_drift": gauge(
            "seldon_metric_drift_is_drift", "Whether an incident is open", labels=["endpoint", "detector"]
        ),
        "distance": gauge(
            "seldon_metric_drift_distance", "The statistic, its last high", labels=["endpoint", "detector"]
        ),
        "threshold": gauge("seldon_metric_drift_threshold", "What it must exceed", labels=["endpoint", "detector"]),
    }
    opened = {(each.endpoint, each.detector) for each in queries.incidents() if each.state == OPEN}
    for name, watched in list(queries.watched().items())[:MOST]:
        troubled.add_metric([name], watched.trouble is not None)
        of = partial(_last_hour, queries, name, now)
        rows, labelled, errors = of(ROWS), of(LABELLED), of(ERROR)
        _add(ratio, [name], errors["total"], errors["count"])
        _add(coverage, [name], labelled["count"], rows["count"])
        _add(lag, [name], of(LABEL_LAG_S)["total"], labelled["count"])
        profile = queries.profile(name)
        if profile is not None and profile.errors is not None:
            level.add_metric([name], profile.errors.level)
        for detector, limit in _LIMITS.items():
            drift["is_drift"].add_metric([name, detector], (name, detector) in opened)
            for family, series in (("distance", detector), ("threshold", limit)):
                if (last := of(series)["last"]) is not None:
                    drift[family].add_metric([name, detector], last)
        for detector in sorted(other for endpoint, other in opened if endpoint == name and other not in _LIMITS):
            drift["is_drift"].add_metric([name, detector], 1)  # those that a setting adds have no series
    yield from (ratio, level, coverage, lag, troubled, *drift.values())


def _last_hour(queries: Queries, endpoint: str, now: int, series: str) -> Mapping[str, Any]:
    """Count and total of a series, and the high of its last minute that has one."""
    points = queries.series(series, endpoint, now - now % 60 - _HOUR_S, now + 60, 60)
    highs = [point.high for point in points if point.high > float("-inf")]
    return {
        "count": sum(point.count for point in points),
        "total": sum(point.total for point in points),
        "last": highs[-1] if highs else None,
    }


def _add(family: Any, labels: list[str], part: float, whole: float) -> None:
    if whole:
        family.add_metric(labels, part / whole)


def _flat(counts: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    for kind, value in counts.items():
        if isinstance(value, dict):
            yield from ((kind, outcome, n) for outcome, n in value.items())
        else:
            yield kind, "", value
