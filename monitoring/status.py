"""What the drift function answers over HTTP."""

from functools import partial
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from leeway.outbox_waiting import outboxes_below

from .lag import Lag, lag_of
from .queries import Queries


def status(queries: Queries) -> dict[str, Any]:
    """Counts, endpoints, incidents, lags and what waits in the home's outboxes as a JSON document."""
    return {
        "counts": queries.counts(),
        "deployments": {key: queries.counts(key) for key in queries.deployments()},
        "endpoints": {name: {"deployment": w.key, "state": w.state} for name, w in queries.watched().items()},
        "consumers": [msgspec.to_builtins(shown) for shown in queries.consumers()],
        "streams": {stream: {"waiting": lag.waiting, "lost": lag.lost} for stream, lag in _lags(queries).items()},
        "outboxes": outboxes_below(queries.settings.home / "outbox"),
        "incidents": [msgspec.to_builtins(incident) for incident in queries.incidents()],
    }


def metrics(queries: Queries) -> bytes:
    """The same in Prometheus' text format."""
    registry = CollectorRegistry()
    gauge = partial(Gauge, registry=registry)
    records = gauge("leeway_records", "Records and what became of them", ["deployment", "kind", "outcome"])
    incidents = gauge("leeway_incidents", "Incidents", ["endpoint", "detector", "state"])
    position = gauge("leeway_position", "First offset that is not committed", ["stream", "shard"])
    for key in queries.deployments():
        for kind, outcome, n in _flat(queries.counts(key)):
            records.labels(key, kind, outcome).set(n)
    for incident in queries.incidents():
        incidents.labels(incident.endpoint, incident.detector, incident.state).inc()
    for shown in queries.consumers():
        position.labels(shown.stream, str(shown.shard)).set(shown.position)
    waiting = gauge("leeway_stream_waiting", "Messages that no consumer has committed", ["stream"])
    lost = gauge("leeway_stream_lost", "Messages that went before they were read", ["stream"])
    for stream, lag in _lags(queries).items():
        waiting.labels(stream).set(lag.waiting)
        lost.labels(stream).set(lag.lost)
    outbox_bytes = gauge("leeway_outbox_waiting_bytes", "Bytes in outboxes that the stream does not have", ["function"])
    dropped = gauge("leeway_outbox_dropped", "Records that outboxes dropped", ["function", "reason"])
    for outbox in outboxes_below(queries.settings.home / "outbox"):
        outbox_bytes.labels(outbox["function"]).set(outbox["waiting_bytes"])
        for reason, n in outbox["dropped"].items():
            dropped.labels(outbox["function"], reason).set(n)
    return generate_latest(registry)


def _lags(queries: Queries) -> dict[str, Lag]:
    """The lag of each stream that is read."""
    streams = sorted({shown.stream for shown in queries.consumers()})
    return {stream: lag_of(stream, queries.settings, queries) for stream in streams}


def _flat(counts: dict[str, Any]) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    for kind, value in counts.items():
        found += [(kind, name, n) for name, n in value.items()] if isinstance(value, dict) else [(kind, "", value)]
    return found
