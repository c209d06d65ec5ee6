"""What the drift function answers over HTTP."""

from functools import partial
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from .queries import Queries


def status(queries: Queries) -> dict[str, Any]:
    """Counts, endpoints and incidents as a JSON document."""
    return {
        "counts": queries.counts(),
        "deployments": {key: queries.counts(key) for key in queries.deployments()},
        "endpoints": {name: {"deployment": w.key, "state": w.state} for name, w in queries.watched().items()},
        "consumers": [msgspec.to_builtins(shown) for shown in queries.consumers()],
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
    return generate_latest(registry)


def _flat(counts: dict[str, Any]) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    for kind, value in counts.items():
        found += [(kind, name, n) for name, n in value.items()] if isinstance(value, dict) else [(kind, "", value)]
    return found
