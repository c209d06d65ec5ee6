"""MLRun's V2 serving protocol: POST /v2/models/<model>/infer with {"inputs": [...]}."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from serving.types import (
    About,
    Feedback,
    HttpRequest,
    InferenceRequest,
    InferenceResponse,
    Operation,
    Route,
)

from .base import Protocol
from .mlrun_body import read_feedback, read_inference

_GET, _POST, _BOTH = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")
_SERVER = {
    "": Route(Operation.SERVER, _GET),
    "v2": Route(Operation.SERVER, _GET),
    "v2/health": Route(Operation.READY, _GET),
    "v2/health/live": Route(Operation.LIVE, _GET),
    "v2/health/ready": Route(Operation.READY, _GET),
    "v2/models": Route(Operation.MODELS, _GET),
}
_OF_MODEL = {
    "infer": (Operation.INFER, _POST),
    "predict": (Operation.INFER, _POST),
    "explain": (Operation.EXPLAIN, _POST),
    "feedback": (Operation.FEEDBACK, _POST),
    "ready": (Operation.MODEL_READY, _GET),
}


class MlrunV2(Protocol):
    """/v2/models/<model>[/versions/<version>][/{infer, predict, explain, feedback, ready}], and the
    server's own paths. POST to the model itself means infer."""

    def route(self, request: HttpRequest) -> Route | None:
        path = request.path.strip("/")
        if path in _SERVER:
            return _SERVER[path]
        parts = path.split("/")
        if len(parts) < 3 or parts[0] != "v2" or parts[1] != "models" or not parts[2]:
            return None
        model, rest, version = parts[2], parts[3:], ""
        if rest[:1] == ["versions"] and len(rest) > 1:
            version, rest = rest[1], rest[2:]
        if not rest:
            return Route(Operation.INFER if request.method == "POST" else Operation.MODEL, _BOTH, model, version)
        if len(rest) > 1 or rest[0] not in _OF_MODEL:
            return None
        operation, methods = _OF_MODEL[rest[0]]
        return Route(operation, methods, model, version)

    def read(self, route: Route, request: HttpRequest) -> InferenceRequest | Feedback:
        if route.operation is Operation.FEEDBACK:
            return read_feedback(request)
        return read_inference(route, request, "inputs", "instances")

    def write(self, route: Route, answer: InferenceResponse | Feedback) -> Any:
        if isinstance(answer, Feedback):
            return {"id": answer.about}
        endpoint = answer.endpoint
        return {
            "id": answer.id,
            "model_name": endpoint.deployment,
            "outputs": answer.prediction.outputs,
            "timestamp": datetime.fromtimestamp(answer.when, UTC).isoformat(" ", "microseconds"),
            "model_version": endpoint.version,
        }

    def describe(self, route: Route, models: Sequence[About]) -> Any:
        if route.operation is Operation.SERVER:
            return {"name": "leeway", "version": "v2", "extensions": []}
        if route.operation is Operation.LIVE:
            return {"live": True}
        if route.operation is Operation.READY:
            return {"ready": True}
        if route.operation is Operation.MODELS:
            return {"models": [model.name for model in models]}
        return _metadata(models[0], route.operation)


def _metadata(about: About, operation: Operation) -> dict[str, Any]:
    if operation is Operation.MODEL_READY:
        return {"name": about.name, "ready": True}
    return {
        "name": about.name,
        "versions": [about.version],
        "platform": about.class_name,
        "model_endpoint_uid": about.endpoint_id,
        "sha256": about.sha256,
        "inputs": about.features,
        "outputs": about.outputs,
    }
