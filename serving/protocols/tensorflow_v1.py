"""TensorFlow Serving's REST API, which is also KServe's first protocol: POST /v1/models/<model>:predict."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from serving.body import json_object
from serving.errors import BadRequest, ServingError
from serving.request_id import request_id
from serving.types import (
    About,
    Content,
    Feedback,
    HttpRequest,
    InferenceRequest,
    InferenceResponse,
    Operation,
    Route,
)

from .base import Protocol

_PATH = re.compile(
    r"/*v1/models(?:/(?P<model>[^/:]+))?(?:/versions/(?P<version>[^/:]+)|/labels/(?P<label>[^/:]+))?"
    r"(?:/?:(?P<verb>predict|explain)|/(?P<metadata>metadata))?/*"
)
_VERBS = {"predict": Operation.INFER, "explain": Operation.EXPLAIN}
_NEWEST = ("stable", "latest")  # the labels that mean the version that is served
_GET, _POST = ("GET", "HEAD"), ("POST",)


class TensorflowV1(Protocol):
    """/v1/models/<model>[/versions/<version> | /labels/<label>][:predict | :explain | /metadata], rows (`instances`)
    and columns (`inputs`). A label is `stable`, `latest`, or a version. Without a model: the only one."""

    def route(self, request: HttpRequest) -> Route | None:
        if not request.path.lstrip("/").startswith("v1/"):
            return None
        found = _PATH.fullmatch(request.path)
        if found is None:
            return None
        model, label = found["model"] or "", found["label"] or ""
        version = found["version"] or ("" if label in _NEWEST else label)
        if found["verb"]:
            return Route(_VERBS[found["verb"]], _POST, model, version)
        if found["metadata"]:
            return Route(Operation.MODEL, _GET, model, version)
        return Route(Operation.MODEL_READY if model else Operation.MODELS, _GET, model, version)

    def read(self, route: Route, request: HttpRequest) -> InferenceRequest | Feedback:
        body = json_object(request)
        if ("instances" in body) == ("inputs" in body):
            raise BadRequest("expected either `instances` (one element per row) or `inputs` (one list per column)")
        by_row = "instances" in body
        rows, names = _of_rows(body["instances"]) if by_row else _of_columns(body["inputs"])
        return InferenceRequest(
            id=request_id(None, request.headers),
            rows=rows,
            operation=route.operation,
            names=names,
            body=body,
            form="predictions" if by_row else "outputs",
        )

    def write(self, route: Route, asked: InferenceRequest | Feedback, answer: InferenceResponse | Feedback) -> Any:
        assert isinstance(asked, InferenceRequest) and isinstance(answer, InferenceResponse)
        return {asked.form: answer.prediction.outputs}

    def describe(self, route: Route, models: Sequence[About]) -> Any | Content:
        if route.operation is Operation.MODELS:
            return {"models": [model.name for model in models]}
        return _metadata(models[0]) if route.operation is Operation.MODEL else _status(models[0])

    def error(self, error: ServingError, id: str) -> Any:
        return {"error": str(error)}


def _of_rows(instances: Any) -> tuple[list[Any], list[str] | None]:
    if type(instances) is not list or not instances:
        raise BadRequest(f"instances is {instances!r:.60}; expected a list with at least one row")
    kinds = set(map(type, instances))
    if kinds == {list}:
        return instances, None
    if kinds != {dict}:
        return [each if type(each) is list else [_value(each)] for each in instances], None
    if all(each.keys() == {"b64"} for each in instances):
        return [[_value(each)] for each in instances], None
    names = list(instances[0])
    for i, instance in enumerate(instances):
        if instance.keys() != instances[0].keys() or not instance:
            raise BadRequest(f"row {i} has {', '.join(instance)[:100]!r}, row 0 has {', '.join(names)[:100]!r}")
    return _named([[instance[name] for instance in instances] for name in names], names)


def _of_columns(inputs: Any) -> tuple[list[Any], list[str] | None]:
    if type(inputs) is not dict:
        return _of_rows(inputs)
    columns = list(inputs.values())
    if not columns or not all(type(column) is list and column for column in columns):
        raise BadRequest(f"inputs is {inputs!r:.60}; expected a list with at least one row for each name")
    if len(counts := {len(column) for column in columns}) > 1:
        raise BadRequest(f"the inputs have {sorted(counts)} rows; expected as many in each")
    return _named(columns, list(inputs))


def _named(columns: Sequence[list[Any]], names: list[str]) -> tuple[list[Any], list[str] | None]:
    """Inputs stand side by side in a row; each that is one value is a column with a name."""
    parts = [[each if type(each) is list else [_value(each)] for each in column] for column in columns]
    rows = [[value for part in row for value in part] for row in zip(*parts)]
    return rows, names if all(len(row) == len(names) for row in rows) else None


def _value(value: Any) -> Any:
    """{"b64": ...} is text in base64."""
    if type(value) is dict and value.keys() == {"b64"}:
        try:
            return base64.b64decode(value["b64"], validate=True).decode()
        except (TypeError, ValueError):
            raise BadRequest(f"b64 is {value['b64']!r:.60}; expected text (UTF-8) in base64") from None
    return value


def _status(about: About) -> Mapping[str, Any]:
    """`name` and `ready` are KServe's words for it."""
    version = {
        "version": about.version, "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""},
    }  # fmt: skip
    return {"model_version_status": [version], "name": about.name, "ready": True}


def _metadata(about: About) -> Mapping[str, Any]:
    names = [str(feature["name"]) for feature in about.features]
    one = {"size": "-1", "name": ""}
    column = {"dtype": "DT_DOUBLE", "tensor_shape": {"dim": [one], "unknown_rank": False}}
    matrix = {"dtype": "DT_DOUBLE", "tensor_shape": {"dim": [one, one], "unknown_rank": False}}
    signature = {
        "inputs": {name: {**column, "name": name} for name in names} or {"inputs": {**matrix, "name": "inputs"}},
        "outputs": {"outputs": {**column, "name": "outputs"}},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": about.name, "signature_name": "", "version": about.version},
        "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
    }
