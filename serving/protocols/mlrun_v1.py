"""MLRun's first serving protocol: POST /<model>/predict with {"instances": [...]}."""

from collections.abc import Sequence
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

_OPERATIONS = {"predict": Operation.INFER, "explain": Operation.EXPLAIN, "feedback": Operation.FEEDBACK}
_POST = ("POST",)


class MlrunV1(Protocol):
    """/<model>/{predict, explain, feedback}"""

    def route(self, request: HttpRequest) -> Route | None:
        parts = request.path.strip("/").split("/")
        if len(parts) != 2 or not parts[0]:
            return None
        operation = _OPERATIONS.get(parts[1])
        return None if operation is None else Route(operation, _POST, parts[0])

    def read(self, route: Route, request: HttpRequest) -> InferenceRequest | Feedback:
        if route.operation is Operation.FEEDBACK:
            return read_feedback(request)
        return read_inference(route, request, "instances", "inputs")

    def write(self, route: Route, asked: InferenceRequest | Feedback, answer: InferenceResponse | Feedback) -> Any:
        if isinstance(answer, Feedback):
            return {"id": answer.about}
        endpoint = answer.endpoint
        return {
            "id": answer.id,
            "predictions": answer.prediction.outputs,
            "model_name": endpoint.deployment,
            "model_version": endpoint.version,
        }

    def describe(self, route: Route, models: Sequence[About]) -> Any:
        return {"models": [model.name for model in models]}
