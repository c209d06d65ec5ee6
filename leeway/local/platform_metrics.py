"""What the platform tells Prometheus: its functions, and how their workers fare."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

MOST = 200  # functions that have series of their own


def platform_metrics(statuses: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Prometheus' text format, of {function: its status as Nuclio's dashboard shows it}."""
    registry = CollectorRegistry()
    by_function = {"labelnames": ["function"], "registry": registry}
    ready = Gauge("leeway_function_ready", "Whether the function is ready", **by_function)
    workers = Gauge("leeway_function_workers", "Workers that serve", **by_function)
    wanted = Gauge("leeway_function_workers_wanted", "Workers that the function asks for", **by_function)
    restarts = Counter("leeway_function_restarts", "Ends of workers that were not asked for", **by_function)
    left_out = Gauge("leeway_functions_left_out", "Functions that have no series of their own", registry=registry)
    for name, status in sorted(statuses.items())[:MOST]:
        slots = status.get("workers") or []
        ready.labels(name).set(status.get("state") == "ready")
        workers.labels(name).set(sum(bool(slot["serving"]) for slot in slots))
        wanted.labels(name).set(len(slots))
        restarts.labels(name).inc(sum(slot["restarts"] for slot in slots))
    left_out.set(max(0, len(statuses) - MOST))
    return generate_latest(registry)
