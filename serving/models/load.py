"""From a node of a deployment to a loaded model: found, trusted, and in a form that is known."""

import hashlib
import inspect
import logging
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from leeway.errors import ProfileError
from leeway.profile import Profile
from serving.errors import LoadError, ServingError
from serving.graph.deployment import Node

from .base import Model
from .built_in import built_in, form_at
from .compile_order import CompileOrder
from .engine import NATIVE, Engine
from .find_class import find_class, is_built_in
from .forms import runs_code
from .library_versions import other_versions
from .locate import Located, locate
from .resolve_uri import resolve_uri, scheme_of
from .trust import check_trust

_VERSION_DIGITS = 12

_log = logging.getLogger("leeway.serving")


@dataclass(frozen=True)
class LoadedModel:
    """A model, the sha256 of its file, its version, and what it was trained on (`profile` as it lies on disk). `order`
    is there where it is still to be compiled; `warnings` are what was noticed about it. `node` is
    what asked for it, `path` what was found there, `rows` the file with its stored rows; loading it took `load_s`."""

    model: Model
    sha256: str
    version: str
    profile: bytes | None = None
    features: list[str] | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    engine: Engine = Engine()
    order: CompileOrder | None = None
    warnings: tuple[str, ...] = ()
    node: Node | None = None
    path: Path | None = None
    rows: Path | None = None
    load_s: float = 0.0

    def on(self, model: Model | None, engine: Engine) -> "LoadedModel":
        """The same, run by `model` (None: as it is), with nothing left to compile."""
        return replace(self, model=model or self.model, engine=engine, order=None)


def load(node: Node, handler: str, home: Path) -> LoadedModel:
    """LoadError says which model it was, what was wrong with it, and what to do. `handler` is where a class without a
    module is looked for; what comes from a store is kept under `home`."""
    began = time.perf_counter()
    try:
        return replace(_load(node, handler, home), load_s=time.perf_counter() - began)
    except ServingError:
        raise
    except Exception as error:
        raise LoadError(f"model {node.name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _load(node: Node, handler: str, home: Path) -> LoadedModel:
    kind = None if is_built_in(node.class_name) else find_class(node.class_name, handler)
    located = _located(node, home, is_needed=kind is None)
    names = _feature_names(located)
    profile = located.profile if located is not None else None
    if kind is not None:
        if located is not None:
            check_trust(node, located, may_run_code=True)
        model, engine, order = _of_users(kind, node, located), Engine(NATIVE, "it is a class of your own"), None
        sha256 = located.sha256 if located is not None else hash_of_class(kind)
    else:
        form = form_at(node, located)
        check_trust(node, located, runs_code(form))
        model, engine, order = built_in(node, located, form, names, home)
        sha256 = located.sha256
    warnings = (*(other_versions(located.mlflow.versions) if located and located.mlflow else ()), *model.warnings)
    for warning in warnings:
        _log.warning("model %s: %s", node.name, warning)
    return LoadedModel(
        model,
        sha256,
        node.version or sha256[:_VERSION_DIGITS],
        profile,
        names or model.features,
        _outputs(located),
        engine,
        order,
        warnings,
        node,
        located.path if located is not None else None,
        located.rows if located is not None else None,
    )


def hosted(node: Node, server: Any) -> LoadedModel:
    """An instance of MLRun's V2ModelServer that its host has loaded. Its version comes from the model's file, where it
    is one on this machine, else from its class."""
    from .v2_model_server import V2ModelServerModel

    model, located = V2ModelServerModel(server), None
    if node.uri and not scheme_of(node.uri):
        located = locate(node.name, node.uri)
    sha256 = located.sha256 if located is not None else hash_of_class(type(server))
    profile = located.profile if located is not None else None
    names = _feature_names(located) or model.features
    return LoadedModel(model, sha256, node.version or sha256[:_VERSION_DIGITS], profile, names, _outputs(located))


def _located(node: Node, home: Path, is_needed: bool) -> Located | None:
    uri = node.uri
    if not uri and not is_needed:
        return None
    if not uri:
        raise LoadError(f"SERVING_MODEL_{node.name} is empty; name the model's file or folder")
    if scheme_of(uri):
        uri = str(resolve_uri(node.name, uri, home))
    return locate(node.name, uri)


def _of_users(kind: type, node: Node, located: Located | None) -> Model:
    from .user_class import UserClass
    from .v2_model_server import V2ModelServerModel, is_v2_model_server

    make = V2ModelServerModel.make if is_v2_model_server(kind) else UserClass
    return make(kind, node.name, "" if located is None else str(located.path), node.parameters)


def _feature_names(located: Located | None) -> list[str] | None:
    """As the profile has them, else as MLflow or MLRun wrote them down."""
    if located is None:
        return None
    if located.profile is not None:
        try:
            return Profile.from_bytes(located.profile).feature_names
        except ProfileError:
            pass  # the drift function says what is wrong with it
    if located.mlflow is not None and located.mlflow.features is not None:
        return located.mlflow.features
    return [str(feature["name"]) for feature in located.spec.get("inputs") or () if "name" in feature] or None


def _outputs(located: Located | None) -> list[dict[str, Any]]:
    found = located.spec.get("outputs") if located is not None else None
    return [dict(output) for output in found or () if isinstance(output, dict)]


def hash_of_class(kind: type) -> str:
    """A class without a file: its code is the model."""
    try:
        return hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()
    except (OSError, TypeError):
        return hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode()).hexdigest()
