"""What the drift function answers over HTTP."""

from typing import Any

import msgspec

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


def _lags(queries: Queries) -> dict[str, Lag]:
    """The lag of each stream that is read."""
    streams = sorted({shown.stream for shown in queries.consumers()})
    return {stream: lag_of(stream, queries.settings, queries) for stream in streams}
