"""MLRun's V2 serving protocol: POST /v2/models/<model>/infer with {"inputs": [...]}, the rows as they are."""

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
from .v2_paths import v2_route


class MlrunV2(Protocol):
    """What the Open Inference Protocol, which comes before it, leaves of the paths under /v2."""

    def route(self, request: HttpRequest) -> Route | None:
        return v2_route(request)

    def read(self, route: Route, request: HttpRequest) -> InferenceRequest | Feedback:
        if route.operation is Operation.FEEDBACK:
            return read_feedback(request)
        return read_inference(route, request, "inputs", "instances")

    def write(self, route: Route, asked: InferenceRequest | Feedback, answer: InferenceResponse | Feedback) -> Any:
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
        if route.operation is Operation.MODELS:
            return {"models": [model.name for model in models]}
        return {"name": "leeway", "version": "v2", "extensions": [], "status": "alive"}
