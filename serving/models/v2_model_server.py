"""Subclasses of MLRun's V2ModelServer. The one module of the request path that imports mlrun: 187 MB, and seconds."""

from collections.abc import Mapping
from typing import Any

from serving.errors import LoadError, NotOffered
from serving.types import InferenceRequest, Prediction

from .base import Model
from .user_class import plain_outputs


class V2ModelServerModel(Model):
    """Hosts one that is loaded as MLRun's own router does: asks it through preprocess, validate, predict and
    postprocess."""

    def __init__(self, server: Any):
        self.class_name, self._name, self._server = type(server).__name__, server.name, server
        spec = server.model_spec
        self.features = [str(feature.name) for feature in spec.inputs] or None if spec else None

    @classmethod
    def make(cls, kind: type, name: str, path: str, parameters: Mapping[str, Any]) -> "V2ModelServerModel":
        """Of a class; LoadError where it does not load."""
        from mlrun.serving.server import GraphContext

        context = GraphContext()
        context.is_mock = True  # no model endpoint is registered: the record says who answered
        server = kind(context=context, name=name, model_path=path or None, **parameters)
        try:
            server.post_init()
        except RuntimeError as error:
            raise LoadError(f"{error}: {error.__cause__ or 'its log says more'}") from error
        return cls(server)

    def predict(self, request: InferenceRequest) -> Prediction:
        return self._ask(request, "infer", self._server.predict)

    def explain(self, request: InferenceRequest) -> Prediction:
        try:
            return self._ask(request, "explain", self._server.explain)
        except NotImplementedError:
            raise NotOffered(f"class {self.class_name} has no method explain(request); give it one") from None

    def _ask(self, request: InferenceRequest, operation: str, method: Any) -> Prediction:
        server, body = self._server, {**request.body, "id": request.id, "inputs": request.rows}
        asked = server.validate(server.preprocess(body, operation), operation)
        answer = {"id": request.id, "model_name": self._name, "outputs": method(asked)}
        outputs = plain_outputs(server.postprocess(answer)["outputs"], self._name)
        metrics, server.metrics = server.metrics, {}
        return Prediction(outputs, metrics=metrics)


def is_v2_model_server(kind: type) -> bool:
    """Whether a class is one, told by its ancestors' names, so that mlrun is not imported for others."""
    return any(
        ancestor.__name__ == "V2ModelServer" and ancestor.__module__.startswith("mlrun.") for ancestor in kind.__mro__
    )
