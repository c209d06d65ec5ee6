"""What the drift function answers over HTTP."""

from typing import Any

import msgspec

from leeway.errors import StoreError
from leeway.outbox_waiting import outboxes_below

from .lag import Lag, lag_of
from .queries import Queries


def status(queries: Queries) -> dict[str, Any]:
    """Counts, endpoints, incidents, lags and what waits in the home's outboxes as a JSON document."""
    return {
        "counts": queries.counts(),
        "deployments": {key: queries.counts(key) for key in queries.deployments()},
        "endpoints": {
            name: {"deployment": each.key, "state": each.state, "trouble": each.told_trouble}
            for name, each in queries.watched().items()
        },
        "consumers": [msgspec.to_builtins(shown) for shown in queries.consumers()],
        "streams": {stream: _shown(lag) for stream, lag in _lags(queries).items()},
        "outboxes": outboxes_below(queries.settings.home / "outbox"),
        "incidents": [msgspec.to_builtins(incident) for incident in queries.incidents()],
    }


def _lags(queries: Queries) -> dict[str, Lag | StoreError]:
    """The lag of each stream that is read, or why nothing is known of it."""
    return {stream: _lag(stream, queries) for stream in sorted({shown.stream for shown in queries.consumers()})}


def _lag(stream: str, queries: Queries) -> Lag | StoreError:
    try:
        return lag_of(stream, queries.settings, queries)
    except StoreError as error:
        return error


def _shown(lag: Lag | StoreError) -> dict[str, Any]:
    if isinstance(lag, StoreError):
        return {"waiting": None, "lost": None, "error": str(lag)}
    return {"waiting": lag.waiting, "lost": lag.lost, "error": ""}
