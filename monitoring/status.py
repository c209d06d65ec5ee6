"""What the drift function answers over HTTP."""

from typing import Any

import msgspec

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
