"""Seldon Core's protocol: POST [/seldon/<namespace>/<deployment>]/api/v1.0/predictions with a SeldonMessage."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from serving.body import json_object
from serving.errors import BadRequest, NotFound, ServingError, status_of
from serving.request_id import header_value, request_id, uuid7
from serving.types import (
    About,
    Content,
    Feedback,
    HttpRequest,
    InferenceRequest,
    InferenceResponse,
    Operation,
    Prediction,
    Route,
    Walk,
)

from .base import Protocol
from .seldon_payload import JSON, TENSOR, read_payload, write_payload

_GET, _POST = ("GET", "HEAD"), ("POST",)
_PREFIXES = ("api/v1.0/", "api/v0.1/")
_OPERATIONS = {
    "predictions": (Operation.INFER, _POST),
    "feedback": (Operation.FEEDBACK, _POST),
    "explain": (Operation.EXPLAIN, _POST),
    "explanations": (Operation.EXPLAIN, _POST),
    "status": (Operation.MODEL_READY, _GET),
    "health/status": (Operation.MODEL_READY, _GET),
    "metadata": (Operation.GRAPH, _GET),
    "doc": (Operation.DOCUMENT, _GET),
}
# What a model's own container answers, and the orchestrator in front of it.
_BARE = {
    "predict": (Operation.INFER, _POST),
    "send-feedback": (Operation.FEEDBACK, _POST),
    "seldon.json": (Operation.DOCUMENT, _GET),
    "live": (Operation.LIVE, _GET),
    "ready": (Operation.READY, _GET),
    "health/ping": (Operation.LIVE, _GET),
    "health/status": (Operation.READY, _GET),
    "metadata": (Operation.MODEL, _GET),
}
_EXPLAINER = "-explainer"


class SeldonV1(Protocol):
    """Plain paths mean the only deployment. `status`, `metadata` take a model's name behind them."""

    def route(self, request: HttpRequest) -> Route | None:
        path = request.path.strip("/")
        deployment, path = _addressed(path)
        if path.startswith(_PREFIXES):
            return _api(path[len(_PREFIXES[0]) :], deployment)
        found = _BARE.get(path) if not deployment else None
        return None if found is None else Route(found[0], found[1])

    def read(self, route: Route, request: HttpRequest) -> InferenceRequest | Feedback:
        message = json_object(request)
        if route.operation is Operation.FEEDBACK:
            return _feedback(message, request)
        payload, meta = read_payload(message), _meta(message)
        tags = _tags(meta)
        return InferenceRequest(
            id=request_id(meta.get("puid"), request.headers),
            rows=payload.rows,
            operation=route.operation,
            names=payload.names,
            labels={name: value for name, value in tags.items() if type(value) is str},
            body=message,
            form=(payload.kind, tags),
            tags=tags,
        )

    def write(self, route: Route, asked: InferenceRequest | Feedback, answer: InferenceResponse | Feedback) -> Any:
        if isinstance(answer, Feedback):
            meta = {"puid": answer.about or answer.id}
            return _with_puid({"data": {"names": [], "ndarray": []}, "meta": meta}, meta["puid"])
        assert isinstance(asked, InferenceRequest)
        kind, tags = asked.form
        if asked.operation is Operation.EXPLAIN:
            kind = JSON
        prediction, walk = answer.prediction, answer.walk
        meta = {"puid": answer.id, **(_meta_of_model(answer, tags) if walk is None else _meta_of_graph(walk))}
        names = None if walk is None else walk.names
        return _with_puid({**write_payload(kind, prediction.outputs, names), "meta": meta}, answer.id)

    def describe(self, route: Route, models: Sequence[About]) -> Any:
        if route.operation is Operation.LIVE:
            return Content(b"pong", "text/plain; charset=utf-8")
        if route.operation is Operation.READY:
            return {"data": {"names": [], "ndarray": []}, "meta": {}}
        about = models[0]
        nodes = {each.name: _unit(each) for each in about.nodes or models[:1]}
        if route.node not in ("", about.name, *nodes):
            raise NotFound(f"{about.name} has no node {route.node!r:.80}; it has {', '.join(nodes)}")
        if route.operation is Operation.MODEL_READY:
            return {"data": {"names": [], "ndarray": []}, "meta": {}}
        unit = nodes.get(route.node) or _unit(about)
        if route.operation is Operation.MODEL:
            return unit
        return {"name": about.predictor, "models": nodes, "graphinputs": unit["inputs"],
                "graphoutputs": unit["outputs"]}  # fmt: skip

    def error(self, error: ServingError, id: str) -> Any:
        """As a model's container says it: `code` and `status` are the same for every error."""
        reason = "MICROSERVICE_BAD_DATA" if status_of(error) < 500 else "MICROSERVICE_INTERNAL_ERROR"
        return {"status": {"code": -1, "info": str(error), "reason": reason, "status": 1}}


def _unit(about: About) -> dict[str, Any]:
    return {
        "name": about.name,
        "platform": about.class_name,
        "versions": [about.version],
        "inputs": [{"messagetype": TENSOR, "schema": {"names": [str(f["name"]) for f in about.features]}}],
        "outputs": [{"messagetype": TENSOR, "schema": {}}],
        "custom": {},
    }


def _addressed(path: str) -> tuple[str, str]:
    """(deployment, the rest) of seldon/<namespace>/<deployment>[-explainer/<predictor>]/...; any namespace will do."""
    parts = path.split("/", 3)
    if parts[0] != "seldon" or len(parts) < 4 or not parts[2]:
        return "", path
    deployment, rest = parts[2], parts[3]
    if deployment.endswith(_EXPLAINER) and not rest.startswith("api/"):
        return deployment.removesuffix(_EXPLAINER), rest.partition("/")[2]
    return deployment, rest


def _api(path: str, deployment: str) -> Route | None:
    if path in _OPERATIONS:
        operation, methods = _OPERATIONS[path]
        return Route(operation, methods, deployment)
    head, _, node = path.partition("/")
    if head not in ("status", "metadata") or not node or "/" in node:
        return None
    operation = Operation.MODEL if head == "metadata" else Operation.MODEL_READY
    return Route(operation, _GET, deployment or node, node=node)


def _meta(message: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = message.get("meta")
    if meta is None:
        return {}
    if type(meta) is not dict:
        raise BadRequest(f"meta is {meta!r:.60}; expected an object")
    return meta


def _tags(meta: Mapping[str, Any]) -> dict[str, Any]:
    tags = meta.get("tags")
    if tags is None:
        return {}
    if type(tags) is not dict:
        raise BadRequest(f"meta.tags is {tags!r:.60}; expected an object")
    return tags


def _meta_of_model(answer: InferenceResponse, tags: dict[str, Any]) -> dict[str, Any]:
    node, metrics = answer.endpoint.node, _metrics(answer.prediction)
    return {
        **({"tags": tags} if tags else {}),
        **({"metrics": metrics} if metrics else {}),
        "routing": {node: -1},
        "requestPath": {node: f"{answer.endpoint.class_name}:{answer.endpoint.version}"},
    }


def _meta_of_graph(walk: Walk) -> dict[str, Any]:
    return {
        **({"tags": walk.tags} if walk.tags else {}),
        **({"metrics": walk.metrics} if walk.metrics else {}),
        "routing": walk.routing,
        "requestPath": walk.path,
    }


def _metrics(prediction: Prediction) -> list[dict[str, Any]]:
    return [
        {"key": name, "type": "GAUGE", "value": value}
        for name, value in prediction.metrics.items()
        if type(value) in (int, float)
    ]


def _with_puid(said: dict[str, Any], puid: str) -> Content:
    """Clients that do not show headers find it in the body, the others in the header."""
    try:
        body = orjson.dumps(said)
    except (TypeError, ValueError):
        raise BadRequest("meta.tags holds what JSON cannot; send plain values") from None
    return Content(body, "application/json", {"Seldon-Puid": header_value(puid)})


def _feedback(message: Mapping[str, Any], request: HttpRequest) -> Feedback:
    """Of whom it speaks is the puid of the response or of the request that it repeats, or the header's."""
    response, asked = _part(message, "response"), _part(message, "request")
    truth = _truth(message)
    reward = message.get("reward")
    if reward is not None and not (type(reward) in (int, float) and abs(reward) < 1e300):
        raise BadRequest(f"reward is {reward!r:.60}; expected a number")
    if truth is None and reward is None:
        raise BadRequest("the feedback has neither truth nor reward; expected one of them")
    given = _meta(response).get("puid") or _meta(asked).get("puid") or request["seldon-puid"]
    about = request_id(given, {}) if given else ""
    if truth is not None and not about:
        if reward is None:
            raise BadRequest("the feedback has truth, but no puid: repeat the response's meta, or send Seldon-Puid")
        truth = None  # nobody can tell whose it is; the reward still counts
    repeated = read_payload(asked) if asked.get("data") else None
    return Feedback(
        id=uuid7(), about=about, truth=truth, reward=reward, routing=_routing(_meta(response)),
        asked=repeated.rows if repeated is not None else None, names=repeated.names if repeated is not None else None,
        labels={name: value for name, value in _tags(_meta(asked)).items() if type(value) is str},
    )  # fmt: skip


def _part(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = message.get(name)
    if part is not None and type(part) is not dict:
        raise BadRequest(f"{name} is {part!r:.60}; expected a SeldonMessage")
    return part or {}


def _truth(message: Mapping[str, Any]) -> list[Any] | None:
    """One value per row; rows of one value are that value."""
    truth = _part(message, "truth")
    if not truth or truth.get("data") == {}:
        return None
    rows = read_payload(truth).rows
    return [row[0] if type(row) is list and len(row) == 1 else row for row in rows]


def _routing(meta: Mapping[str, Any]) -> dict[str, int]:
    routing = meta.get("routing")
    if routing is None:
        return {}
    if type(routing) is not dict or not all(type(value) is int for value in routing.values()):
        raise BadRequest(f"meta.routing is {routing!r:.60}; expected an object of whole numbers")
    return routing
