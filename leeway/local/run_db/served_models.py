"""Models that a function is to serve, resolved when it is deployed: its workers need no MLRun to find them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlrun.datastore import is_store_uri
from mlrun.datastore.store_resources import get_store_resource
from mlrun.errors import err_to_str
from mlrun.runtimes.base import RunError

from leeway.model_hash import model_hash

_MODEL, _HASH = "SERVING_MODEL_", "SERVING_MODEL_HASH_"


def served_models(variables: Mapping[str, str], db: Any, project: str) -> dict[str, str]:
    """For each SERVING_MODEL_<name> that holds a store:// URI: the path of the model on this machine, and
    SERVING_MODEL_HASH_<name>. RunError names the URI that leads nowhere."""
    resolved = {}
    for variable, uri in variables.items():
        if variable.startswith(_MODEL) and not variable.startswith(_HASH) and is_store_uri(str(uri)):
            path = _path(variable, uri, db, project)
            resolved |= {variable: str(path), _HASH + variable.removeprefix(_MODEL): _hash(variable, uri, path)}
    return resolved


def _path(variable: str, uri: str, db: Any, project: str) -> Path:
    try:
        target = get_store_resource(uri, db=db, project=project).get_target_path()
    except Exception as exc:
        raise RunError(f"{variable}={uri} cannot be resolved: {err_to_str(exc)}") from exc
    path = target.removeprefix("file://")
    if not path or "://" in path:
        raise RunError(
            f"{variable}={uri} lies at {target!r}, which is not on this machine: copy it here, name the copy"
        )
    return Path(path)


def _hash(variable: str, uri: str, path: Path) -> str:
    try:
        return model_hash(path)
    except OSError as exc:
        raise RunError(f"{variable}={uri}: the model cannot be read: {exc}") from exc
