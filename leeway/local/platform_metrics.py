"""What the platform tells Prometheus: its functions, and how their workers fare."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

MOST = 200  # functions that have series of their own


def platform_metrics(statuses: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Prometheus' text format, of {function: its status as Nuclio's dashboard shows it}."""
    registry = CollectorRegistry()
    of = {"registry": registry}
    ready = Gauge("leeway_function_ready", "Whether the function is ready", ["function"], **of)
    workers = Gauge("leeway_function_workers", "Workers that serve", ["function"], **of)
    wanted = Gauge("leeway_function_workers_wanted", "Workers that the function asks for", ["function"], **of)
    restarts = Counter("leeway_function_restarts", "Ends of workers that were not asked for", ["function"], **of)
    left_out = Gauge("leeway_functions_left_out", "Functions that have no series of their own", **of)
    for name, status in sorted(statuses.items())[:MOST]:
        slots = status.get("workers") or []
        ready.labels(name).set(status.get("state") == "ready")
        workers.labels(name).set(sum(bool(slot["serving"]) for slot in slots))
        wanted.labels(name).set(len(slots))
        restarts.labels(name).inc(sum(slot["restarts"] for slot in slots))
    left_out.set(max(0, len(statuses) - MOST))
    return generate_latest(registry)
