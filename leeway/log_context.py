"""Which request a thread is at, so that each line that is logged meanwhile says so, whoever logs it."""

from threading import local
from typing import Any


class _Underway(local):
    """Of each thread: `now` is (deployment, request id, W3C traceparent), None between requests."""

    now: tuple[str, str, str | None] | None = None


UNDERWAY = _Underway()


def underway() -> dict[str, Any]:
    """The same as fields of a log line; those that are not known are empty."""
    found = UNDERWAY.now
    if found is None:
        return {}
    deployment, request_id, traceparent = found
    return {"deployment": deployment, "request_id": request_id, "trace_id": trace_id(traceparent)}


def trace_id(traceparent: str | None) -> str:
    """That of a W3C traceparent, "" where there is none.

    >>> trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    '4bf92f3577b34da6a3ce929d0e0e4736'
    """
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) >= 4 and len(parts[1]) == 32 else ""
