"""A class of the user's own: a plain one with load and predict."""

import inspect
from collections.abc import Mapping
from typing import Any

import orjson

from serving.errors import LoadError, ModelFailed, NotOffered
from serving.types import InferenceRequest, Prediction

from .base import Model


class UserClass(Model):
    """Wraps an instance. It is made with what its constructor takes of `name`, `model_path` and SERVING_PARAMS; then
    `load()` is called, where there is one. `predict` is given the rows, and answers one output per row, as a list, an
    array, or {"outputs": [...]} ."""

    def __init__(self, kind: type, name: str, path: str, parameters: Mapping[str, Any]):
        self.class_name, self._name = kind.__name__, name
        if not callable(getattr(kind, "predict", None)):
            raise LoadError(f"class {kind.__name__} has no method predict(rows); MODEL_CLASS must name one that has")
        self._instance = kind(**accepted(kind, {"name": name, "model_path": path, **parameters}, parameters))
        if callable(getattr(self._instance, "load", None)):
            self._instance.load()
        self.features = getattr(self._instance, "features", None)

    def predict(self, request: InferenceRequest) -> Prediction:
        return Prediction(plain_outputs(self._instance.predict(request.rows), self._name))

    def explain(self, request: InferenceRequest) -> Prediction:
        if not callable(getattr(self._instance, "explain", None)):
            raise NotOffered(f"class {self.class_name} has no method explain(rows); give it one")
        return Prediction(plain_outputs(self._instance.explain(request.rows), self._name))


def plain_outputs(said: Any, name: str) -> list[Any]:
    """What a user's class answered, as JSON holds it; ModelFailed where JSON cannot hold it."""
    if isinstance(said, Mapping) and "outputs" in said:
        said = said["outputs"]
    if hasattr(said, "tolist"):
        said = said.tolist()
    try:
        outputs = orjson.loads(orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY))
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFailed(f"model {name!r} answered what JSON cannot hold; its log says more") from error
    return outputs if isinstance(outputs, list) else [outputs]


def accepted(kind: type, offered: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What the constructor takes of what is offered; LoadError where a parameter is none of its own."""
    known = inspect.signature(kind).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return dict(offered)
    if unknown := sorted(set(wanted) - set(known)):
        raise LoadError(f"SERVING_PARAMS has {unknown}, which {kind.__name__}{inspect.signature(kind)} does not take")
    return {name: value for name, value in offered.items() if name in known}
