"""From a node of a deployment to a loaded model: found, trusted, and in a form that is known."""

import hashlib
import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leeway.errors import ProfileError
from leeway.model_hash import model_hash
from leeway.profile import Profile
from serving.errors import LoadError, ServingError
from serving.graph.deployment import Node

from .base import Model
from .find_class import BUILT_IN, find_class
from .locate import PICKLED, Located, locate
from .resolve_uri import resolve_uri

_VERSION_DIGITS = 12
# How a pickle begins, and what joblib makes of one: zlib, gzip, bz2, xz, lzma, lz4.
_PICKLE_MAGIC = (b"\x80", b"x", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"]\x00", b'\x04"M\x18')


@dataclass(frozen=True)
class LoadedModel:
    """A model, the sha256 of its file, its version, and what it was trained on (`profile` as it lies on disk)."""

    model: Model
    sha256: str
    version: str
    profile: bytes | None = None
    features: list[str] | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)


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
    if kind is not None:
        model = _of_users(kind, node, located)
    else:
        model = _built_in(node, located, names)
    sha256 = located.sha256 if located is not None else hash_of_class(kind)
    return LoadedModel(
        model,
        sha256,
        node.version or sha256[:_VERSION_DIGITS],
        located.profile if located is not None else None,
        names or model.features,
        _outputs(located),
    )


def hosted(node: Node, server: Any) -> LoadedModel:
    """An instance of MLRun's V2ModelServer that its host has loaded. Its version comes from the model's file, where it
    is one on this machine, else from its class."""
    from .v2_model_server import V2ModelServerModel

    model, located = V2ModelServerModel(server), None
    if node.uri and ("://" not in node.uri or node.uri.startswith("file://")):
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


def _built_in(node: Node, located: Located, names: list[str] | None) -> Model:
    if located.file is None:
        raise LoadError(f"{located.path} holds no model_spec.yaml, and not one file called {', '.join(PICKLED)}")
    with located.file.open("rb") as file:
        begin = file.read(8)
    if not begin.startswith(_PICKLE_MAGIC) or (begin.startswith(b"x") and located.file.suffix not in PICKLED):
        raise LoadError(
            f"{located.file} is in no form that is known: expected a scikit-learn model, pickled or dumped with "
            "joblib; for others, MODEL_CLASS names a class of your own that loads it"
        )
    import joblib

    from .scikit_learn import ScikitLearn

    return ScikitLearn(joblib.load(located.file), names)


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


def hash_of_class(kind: type) -> str:
    """A class without a file: its code is the model."""
    try:
        return hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()
    except (OSError, TypeError):
        return hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode()).hexdigest()
