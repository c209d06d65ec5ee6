"""From a SeldonDeployment (Seldon Core 1) to a deployment, with Seldon's defaults and its validation messages."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from serving.errors import LoadError

from .deployment import COMBINER, COMPONENT, HOSTED, KINDS, METHODS, MODEL, ROUTER, SERVERS, Deployment, Node, Predictor
from .function_shape import FunctionShape
from .seldon_walk import notes

_VERSIONS = ("v1", "v1alpha3", "v1alpha2", "v1alpha1")
_GROUP = "machinelearning.seldon.io"
_ROUTERS = ("SIMPLE_ROUTER", "RANDOM_ABTEST", "EPSILON_GREEDY", "THOMPSON_SAMPLING")
_COMBINERS = ("AVERAGE_COMBINER", "VOTING_COMBINER")
_NONE = ("", "UNKNOWN_IMPLEMENTATION", "UNKNOWN_TYPE")
_TIMEOUT, _STICKY, _SEED = "seldon.io/rest-timeout", "leeway/sticky", "leeway/seed"
_TYPES: dict[str, Callable[[str], Any]] = {
    "INT": int, "FLOAT": float, "DOUBLE": float, "STRING": str,
    "BOOL": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
}  # fmt: skip


@dataclass(frozen=True)
class SeldonDeployment:
    """What one document says: the deployment, what of it goes into the Nuclio function, and what was accepted without
    being done, in words. `document` is the YAML's own."""

    deployment: Deployment
    document: Mapping[str, Any]
    namespace: str = ""
    shape: FunctionShape = field(default_factory=FunctionShape)
    notes: tuple[str, ...] = ()


def read_seldon(text: str, name: str, hosted: Collection[str] = ()) -> list[SeldonDeployment]:
    """Of YAML with one document or several; `name` is for one that has none, `hosted` are the models that the host
    brought along: nodes called so need nothing else. LoadError says what is wrong."""
    try:
        documents = [each for each in yaml.safe_load_all(text) if each is not None]
    except yaml.YAMLError as error:
        raise LoadError(f"the SeldonDeployment is no YAML: {error}") from None
    if not documents:
        raise LoadError("there is no SeldonDeployment: the YAML is empty")
    found = [_read(each, name, hosted) for each in documents]
    names = [each.deployment.name for each in found]
    if len(set(names)) < len(names):
        raise LoadError(f"two of the SeldonDeployments have the same name: {', '.join(names)}")
    return found


def _read(document: Any, name: str, hosted: Collection[str]) -> SeldonDeployment:
    _check_kind(document)
    document = _without_the_oldest_form(document)
    told = notes(document)
    metadata, spec = _object(document, "metadata"), _object(document, "spec")
    name = str(metadata.get("name") or spec.get("name") or name)
    if "/" in name or not name:
        raise LoadError(f"metadata.name is {name!r}; expected a name without slashes")
    reader = _Reader(told, hosted)
    annotations = {**_object(metadata, "annotations"), **_object(spec, "annotations")}
    _check_transport(spec)
    predictors = spec.get("predictors")
    if not predictors or not isinstance(predictors, list):
        raise LoadError(f"{name}: Graph contains no predictors")
    made = tuple(reader.predictor(each, i, annotations) for i, each in enumerate(predictors))
    _check_predictors(name, made)
    seed = annotations.get(_SEED)
    if seed is not None and not str(seed).isdecimal():
        raise LoadError(f"annotation {_SEED} is {seed!r:.40}; expected a whole number")
    sticky = str(annotations.get(_STICKY, "")).lower()
    deployment = Deployment(name, _with_shares(made), None if seed is None else int(seed), sticky)
    shape = FunctionShape.of(spec, told)
    return SeldonDeployment(deployment, document, str(metadata.get("namespace") or ""), shape, tuple(told))


class _Reader:
    """Reads predictors; what it makes up or leaves undone is added to `told`."""

    def __init__(self, told: list[str], hosted: Collection[str]):
        self._told, self._hosted = told, hosted

    def predictor(self, given: Any, i: int, annotations: Mapping[str, Any]) -> Predictor:
        if not isinstance(given, Mapping) or not isinstance(given.get("graph"), Mapping):
            raise LoadError(
                f"predictor {i} has no graph; expected one with a name, and an implementation or a container"
            )
        name = str(given.get("name") or f"predictor-{i}")
        own = {**annotations, **_object(given, "annotations")}
        for each in own:
            if each not in (_TIMEOUT, _STICKY, _SEED):
                self._tell(f"annotation {each}: it means nothing here")
        containers = {
            each.get("name"): each
            for component in given.get("componentSpecs") or ()
            for each in _object(component or {}, "spec").get("containers") or ()
        }
        graph = self._node(given["graph"], name, containers, _timeout_s(own))
        explainer = str(_object(given, "explainer").get("type") or "explainer") if given.get("explainer") else ""
        return Predictor(name, graph, _share(name, given), bool(given.get("shadow")), explainer)

    def _node(self, given: Any, predictor: str, containers: Mapping[str, Any], timeout_s: float | None) -> Node:
        if not isinstance(given, Mapping):
            raise LoadError(f"predictor {predictor}: a node of the graph is {given!r:.60}; expected an object")
        name = given.get("name") or predictor
        if not given.get("name"):
            self._tell(f"a node without a name is called as its predictor, {predictor}")
        implementation, kind = _given(given, "implementation"), _given(given, "type")
        if kind in (*_ROUTERS, *_COMBINERS, "SIMPLE_MODEL") and not implementation:
            self._tell(f"node {name}: {kind} is an implementation, and no type; taken as one")
            implementation, kind = kind, ""
        methods = tuple(given.get("methods") or ())
        if kind and kind not in KINDS:
            raise LoadError(f"node {name}: type {kind} is not known; there are {', '.join(KINDS)}")
        if unknown := [each for each in methods if each not in METHODS]:
            raise LoadError(f"node {name}: method {unknown[0]} is not known; there are {', '.join(METHODS)}")
        uri, container = str(given.get("modelUri") or ""), containers.get(name)
        if implementation in SERVERS and not uri:
            raise LoadError(f"node {name}: Predictive unit modelUri required when using standalone servers")
        class_name = implementation if implementation in SERVERS else ""
        if not implementation and not uri and name in self._hosted:
            implementation = HOSTED
        elif not implementation and not uri:
            implementation, class_name = COMPONENT, _class_of(name, kind, methods, container)
        elif not implementation:
            self._tell(f"node {name} has a modelUri and no implementation: what its file holds decides")
        return Node(
            str(name),
            "" if methods and not kind else kind or _kind_of(implementation),
            uri=uri,
            class_name=class_name,
            parameters=_parameters(name, given.get("parameters") or ()),
            children=tuple(self._node(each, predictor, containers, timeout_s) for each in given.get("children") or ()),
            implementation=implementation,
            methods=methods,
            timeout_s=timeout_s,
        )

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.append(text)


def _check_kind(document: Any) -> None:
    if not isinstance(document, Mapping):
        raise LoadError(f"the YAML holds {document!r:.60}; expected a SeldonDeployment")
    kind, version = document.get("kind", "SeldonDeployment"), str(document.get("apiVersion", f"{_GROUP}/v1"))
    if kind != "SeldonDeployment":
        raise LoadError(
            f"kind {kind!r:.60} is refused: only SeldonDeployments are read here; other tools own the others"
        )
    group, _, number = version.partition("/")
    if group != _GROUP or number not in _VERSIONS:
        raise LoadError(f"apiVersion {version!r:.60} is not known; there are {', '.join(_VERSIONS)} of {_GROUP}")


def _without_the_oldest_form(document: Mapping[str, Any]) -> dict[str, Any]:
    """componentSpec as a list of one."""
    spec = dict(_object(document, "spec"))
    if isinstance(spec.get("predictors"), list):
        spec["predictors"] = [
            {
                **{key: value for key, value in each.items() if key != "componentSpec"},
                "componentSpecs": [each["componentSpec"]],
            }
            if isinstance(each, Mapping) and "componentSpec" in each
            else each
            for each in spec["predictors"]
        ]
    return {**document, "spec": spec}


def _check_transport(spec: Mapping[str, Any]) -> None:
    for key, allowed, word in (
        ("protocol", ("seldon", "tensorflow", "kfserving", "v2"), "Invalid protocol"),
        ("transport", ("rest",), "Invalid transport"),
        ("serverType", ("rpc",), "Invalid serverType"),
    ):
        value = spec.get(key)
        if value not in (None, "", *allowed):
            raise LoadError(f"{word}: spec.{key} is {value!r:.40}; a function takes {', '.join(allowed)}")


def _check_predictors(name: str, predictors: Sequence[Predictor]) -> None:
    names = [each.name for each in predictors]
    if len(set(names)) < len(names):
        raise LoadError(f"{name}: Duplicate predictor name: {', '.join(names)}")
    shadows = sum(each.is_shadow for each in predictors)
    if shadows == len(predictors):
        raise LoadError(f"{name}: Shadow can not exist as only predictor")
    if shadows > 1:
        raise LoadError(f"{name}: Multiple shadows are not allowed")
    check_shares(name, [each.weight for each in predictors if not each.is_shadow])


def check_shares(name: str, shares: Sequence[int]) -> None:
    """LoadError, with Seldon's words, where the predictors that answer do not share 100 percent."""
    if len(shares) > 1 and sum(shares) != 100:
        raise LoadError(f"{name}: Traffic must sum to 100 for multiple predictors: {' + '.join(map(str, shares))}")
    if len(shares) == 1 and 0 < shares[0] < 100:
        raise LoadError(f"{name}: Traffic must sum be 100 for a single predictor when set: {shares[0]}")


def _with_shares(predictors: Sequence[Predictor]) -> tuple[Predictor, ...]:
    """One that answers alone has all the traffic, a shadow that does not say how much sees all of it."""
    alone = len(predictors) - sum(each.is_shadow for each in predictors) == 1
    return tuple(
        replace(each, weight=100) if (alone and not each.is_shadow) or (each.is_shadow and not each.weight)
        else each
        for each in predictors
    )  # fmt: skip


def _share(name: str, given: Mapping[str, Any]) -> int:
    share = given.get("traffic") or 0
    if type(share) is not int or not 0 <= share <= 100:
        word = "shadow traffic is illegal, the traffic number should be between [0, 100]"
        raise LoadError(
            f"predictor {name}: {word}"
            if given.get("shadow")
            else f"predictor {name}: traffic is {share!r:.40}; expected a whole number from 0 to 100"
        )
    return share


def _class_of(name: str, kind: str, methods: Sequence[str], container: Mapping[str, Any] | None) -> str:
    """The Python class that a container would run."""
    if container is None:
        raise LoadError(f"node {name}: Can't find container for Predictive Unit")
    env = {each.get("name"): each.get("value") for each in container.get("env") or ()}
    given = env.get("MODEL_NAME")
    if not given:
        raise LoadError(
            f"node {name}: the image {container.get('image')!r} does not run here; let MODEL_NAME in its env name the "
            "Python class that it holds (module.Class, or one name for both), and put the module beside the function"
        )
    return given if "." in given else f"{given}.{given}"


def _kind_of(implementation: str) -> str:
    if implementation in _ROUTERS:
        return ROUTER
    return COMBINER if implementation in _COMBINERS else MODEL


def _given(node: Mapping[str, Any], key: str) -> str:
    value = str(node.get(key) or "")
    return "" if value in _NONE else value


def _parameters(node: str, given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = {}
    for each in given:
        name, value, kind = each.get("name"), each.get("value"), each.get("type", "STRING")
        try:
            found[str(name)] = _TYPES[kind](str(value))
        except (KeyError, ValueError):
            raise LoadError(
                f"node {node}: parameter {name} is {value!r:.40} of type {kind!r:.20}; types are {', '.join(_TYPES)}"
            ) from None
    return found


def _timeout_s(annotations: Mapping[str, Any]) -> float | None:
    value = annotations.get(_TIMEOUT)
    if value is None:
        return None
    if not str(value).isdecimal() or int(value) < 1:
        raise LoadError(f"annotation {_TIMEOUT} is {value!r:.40}; expected milliseconds, a whole number from 1")
    return int(value) / 1000


def _object(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = of.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise LoadError(f"{key} is {value!r:.60}; expected an object")
    return value
