"""From a node of a deployment to a loaded model: found, trusted, and in a form that is known."""

import hashlib
import inspect
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leeway.errors import ProfileError
from leeway.model_hash import model_hash
from leeway.profile import Profile
from serving.errors import LoadError, ServingError
from serving.graph.deployment import Node

from .base import Model
from .compile_cache import PACKAGES, CompileCache
from .compile_order import CompileOrder
from .engine import NATIVE, Engine
from .find_class import BUILT_IN, find_class
from .forms import COMPILED_FROM, PICKLED, form_of, read_form
from .locate import PROFILE_FILE, Located, locate
from .resolve_uri import resolve_uri

_VERSION_DIGITS = 12


@dataclass(frozen=True)
class LoadedModel:
    """A model, the sha256 of its file, its version, and what it was trained on (`profile` as it lies on disk). `order`
    is there where it is still to be compiled."""

    model: Model
    sha256: str
    version: str
    profile: bytes | None = None
    features: list[str] | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    engine: Engine = Engine()
    order: CompileOrder | None = None

    def on(self, model: Model | None, engine: Engine) -> "LoadedModel":
        """The same, run by `model` (None: as it is), with nothing left to compile."""
        return replace(self, model=model or self.model, engine=engine, order=None)


def load(node: Node, handler: str, home: Path) -> LoadedModel:
    """LoadError says which model it was, what was wrong with it, and what to do. `handler` is where a class without a
    module is looked for; what comes from a store is kept under `home`."""
    try:
        return _load(node, handler, home)
    except ServingError:
        raise
    except Exception as error:
        raise LoadError(f"model {node.name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _load(node: Node, handler: str, home: Path) -> LoadedModel:
    kind = None if node.class_name in BUILT_IN else find_class(node.class_name, handler)
    located = _located(node, home, is_needed=kind is None)
    if located is not None:
        _trust(node, located)
    names = _feature_names(located)
    sha256 = located.sha256 if located is not None else _hash_of_class(kind)
    engine, order = Engine(NATIVE, "it is a class of your own"), None
    if kind is not None:
        model = _of_users(kind, node, located)
    else:
        model, engine, order = _built_in(node, located, sha256, names, home)
    return LoadedModel(
        model,
        sha256,
        node.version or sha256[:_VERSION_DIGITS],
        located.profile if located is not None else None,
        names or model.features,
        _outputs(located),
        engine,
        order,
    )


def hosted(node: Node, server: Any) -> LoadedModel:
    """An instance of MLRun's V2ModelServer that its host has loaded. Its version comes from the model's file, where it
    is one on this machine, else from its class."""
    from .v2_model_server import V2ModelServerModel

    model, located = V2ModelServerModel(server), None
    if node.uri and ("://" not in node.uri or node.uri.startswith("file://")):
        located = locate(node.name, node.uri)
    sha256 = located.sha256 if located is not None else _hash_of_class(type(server))
    profile = located.profile if located is not None else None
    names = _feature_names(located) or model.features
    return LoadedModel(model, sha256, node.version or sha256[:_VERSION_DIGITS], profile, names, _outputs(located))


def _located(node: Node, home: Path, is_needed: bool) -> Located | None:
    uri = node.uri
    if not uri and not is_needed:
        return None
    if not uri:
        raise LoadError(f"SERVING_MODEL_{node.name} is empty; name the model's file or folder")
    if uri.startswith("store://"):
        uri = str(resolve_uri(node.name, uri, home / "models" / node.name / "resolved"))
    return locate(node.name, uri)


def _trust(node: Node, located: Located) -> None:
    """What the deployer names on this machine is allowed by that, unless it is not what was said to lie there."""
    if node.sha256 and (found := model_hash(located.path)) != node.sha256:
        raise LoadError(
            f"SERVING_MODEL_{node.name}={located.path} has the hash {found[:_VERSION_DIGITS]}…, and not "
            f"{node.sha256[:_VERSION_DIGITS]}… as SERVING_MODEL_HASH_{node.name} says: it was changed after it was "
            "deployed; deploy it again, or put back what was there"
        )


def _built_in(
    node: Node, located: Located, sha256: str, names: list[str] | None, home: Path
) -> tuple[Model, Engine, CompileOrder | None]:
    """The compiled model where there is one, else the one that was saved, and what is to be compiled of it."""
    if located.file is None:
        raise LoadError(f"{located.path} holds no model_spec.yaml, and not one file called {', '.join(PICKLED)}")
    form = form_of(located.file)
    reason = _not_compiled(node, form)
    order, engine = None, Engine(NATIVE, reason)
    if not reason:
        model, found = CompileCache(home).load(sha256)
        if model is not None and found is not None:
            return model, found, None
        engine = found or Engine(NATIVE, "its compiled form is not there yet")
        order = None if found is not None else _order(located, sha256, form, names, home)
    return read_form(form, located.file, names), engine, order


def _not_compiled(node: Node, form: str) -> str:
    """Why a model is not to be compiled; "" where it is."""
    if node.parameters.get("compile", True) is False:
        return "SERVING_PARAMS turns compiling off"
    if form not in COMPILED_FROM:
        return "its form is served as it is"
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        return f"not compiled: {missing[0]} is not installed (pip install {' '.join(missing)})"
    return ""


def _order(located: Located, sha256: str, form: str, names: list[str] | None, home: Path) -> CompileOrder:
    profile, rows = located.beside(PROFILE_FILE), located.rows
    return CompileOrder(
        file=str(located.file),
        sha256=sha256,
        form=form,
        home=str(home.absolute()),
        features=names,
        profile=str(profile or ""),
        rows=str(rows or ""),
    )


def _of_users(kind: type, node: Node, located: Located | None) -> Model:
    from .user_class import UserClass
    from .v2_model_server import V2ModelServerModel, is_v2_model_server

    make = V2ModelServerModel.make if is_v2_model_server(kind) else UserClass
    return make(kind, node.name, "" if located is None else str(located.path), node.parameters)


def _feature_names(located: Located | None) -> list[str] | None:
    """As the profile has them, else as MLRun wrote them down."""
    if located is None:
        return None
    if located.profile is not None:
        try:
            return Profile.from_bytes(located.profile).feature_names
        except ProfileError:
            pass  # the drift function says what is wrong with it
    return [str(feature["name"]) for feature in located.spec.get("inputs") or () if "name" in feature] or None


def _outputs(located: Located | None) -> list[dict[str, Any]]:
    found = located.spec.get("outputs") if located is not None else None
    return [dict(output) for output in found or () if isinstance(output, dict)]


def _hash_of_class(kind: type) -> str:
    """A class without a file: its code is the model."""
    try:
        return hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()
    except (OSError, TypeError):
        return hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode()).hexdigest()
