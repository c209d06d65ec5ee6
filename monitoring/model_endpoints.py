"""Our endpoints as model endpoints of an MLRun service. A process of its own does it: no worker imports mlrun."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from leeway.backends import connect
from leeway.backends.redacted import redacted
from leeway.errors import StoreError
from leeway.own_program import own_program
from leeway.profile import Profile
from leeway.settings import Settings

from .queries import Queries

_PATIENCE_S = 120.0
_STATE, _PROGRAM = "registered", "monitoring.model_endpoints"


def endpoint_name(endpoint: str) -> str:
    """What MLRun calls one of our endpoints (project/function/deployment/predictor/node/version): versions share it.

    >>> endpoint_name("shop/server/elec/default/elec/v1"), endpoint_name("shop/server/elec/canary/scaler/v1")
    ('elec', 'elec.canary.scaler')
    """
    _, _, deployment, predictor, node, _ = endpoint.split("/")
    return deployment if (predictor, node) == ("default", deployment) else ".".join((deployment, predictor, node))


def register_model_endpoints(settings: Settings) -> list[str]:
    """Register the endpoints that answered something and were not registered yet in the service that MLRUN_DBPATH
    names, nowhere where it names none; which ones that were. StoreError says why it could not be."""
    if "://" not in settings.mlrun_dbpath:
        return []
    with Queries(settings) as queries, closing(connect.state(settings, _STATE)) as state:
        new = [each for each in queries.endpoints() if state.get(each) is None]
        documents = [_document(each, queries.profile(each)) for each in new]
        if documents:
            _register(documents, settings.mlrun_dbpath)
            state.commit(dict.fromkeys(new, b"1"))
    return new


def _document(endpoint: str, profile: Profile | None) -> dict[str, Any]:
    """An endpoint as the program of this module takes it."""
    project, function, deployment, _, _, version = endpoint.split("/")
    features = [each.name for each in profile.features] if profile else []
    return {
        "name": endpoint_name(endpoint), "project": project, "function": function, "deployment": deployment,
        "version": version, "endpoint": endpoint, "features": features,
    }  # fmt: skip


def _register(documents: Sequence[Mapping[str, Any]], service: str) -> None:
    where = f"model endpoints cannot be registered at {redacted(service)}"
    try:
        done = subprocess.run(
            own_program(_PROGRAM), input=json.dumps(documents), capture_output=True, text=True, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise StoreError(f"{where}: no answer within {_PATIENCE_S:g} s") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StoreError(f"{where}: {reason}")


def main(argv: list[str]) -> int:
    """A JSON list of documents on stdin; what MLRun raises where its service refuses one."""
    import mlrun
    from mlrun.common.schemas import model_monitoring as schemas

    now = datetime.now(UTC)
    for given in json.load(sys.stdin):
        made = schemas.ModelEndpoint(
            metadata=schemas.ModelEndpointMetadata(
                name=given["name"], project=given["project"],
                labels={"leeway-endpoint": given["endpoint"], "leeway-version": given["version"]},
            ),
            spec=schemas.ModelEndpointSpec(
                function_name=given["function"], function_tag="latest", model_name=given["deployment"],
                model_tags=[given["version"]], feature_names=given["features"],
            ),
            status=schemas.ModelEndpointStatus(
                monitoring_mode=schemas.ModelMonitoringMode.enabled, first_request=now, last_request=now
            ),
        )  # fmt: skip
        mlrun.get_run_db().create_model_endpoint(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
