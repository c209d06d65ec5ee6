"""The Open Inference Protocol (KServe V2), REST, with its binary tensor extension and the repository's index."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from serving.body import BINARY_HEADER, json_object
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
    Prediction,
    Route,
)

from .base import Protocol
from .tensors import FP64, Tensor, read_bytes, read_datatype, read_json, read_shape, rows_of, tensor_of, to_bytes
from .v2_paths import v2_route

_EXTENSIONS = ["binary_tensor_data", "model_repository"]
_PREDICT, _PROBABILITIES = "predict", "predict_proba"
_ASKED = (Operation.INFER, Operation.EXPLAIN)
_REPOSITORY = (Operation.INDEX, Operation.LOAD, Operation.UNLOAD)
_DESCRIBED = (Operation.LIVE, Operation.READY, Operation.MODEL, Operation.MODEL_READY, Operation.INDEX)
_DATATYPES = {"int": "INT64", "float": FP64, "double": FP64, "str": "BYTES", "string": "BYTES", "bool": "BOOL"}


class OpenInference(Protocol):
    """POST /v2/models/<model>[/versions/<version>]/infer where the inputs are tensors, and what is asked of the
    server and its models. The first axis of every tensor is the row's.

    Outputs are `predict` and, where it is asked for and the model has them, `predict_proba`.
    """

    def route(self, request: HttpRequest) -> Route | None:
        if request.method == "POST" and not _is_tensors(request) and "/repository/" not in request.path:
            return None
        route = v2_route(request)
        if route is None:
            return None
        operation = route.operation
        is_ours = operation in (_ASKED if request.method == "POST" else _DESCRIBED) or operation in _REPOSITORY
        return route if is_ours or (operation is Operation.SERVER and request.path.strip("/") == "v2") else None

    def read(self, route: Route, request: HttpRequest) -> InferenceRequest | Feedback:
        body, raw = _parts(request)
        inputs = body.get("inputs")
        if type(inputs) is not list or not inputs:
            raise BadRequest("the body has no inputs; expected a list with at least one tensor")
        tensors, at = [], 0
        for given in inputs:
            tensor, at = _tensor(given, raw, at)
            tensors.append(tensor)
        if at != len(raw):
            raise BadRequest(f"{len(raw) - at} of {len(raw)} bytes after the JSON belong to no input")
        rows, names = rows_of(tensors)
        return InferenceRequest(
            id=request_id(body.get("id"), request.headers),
            rows=rows,
            operation=route.operation,
            names=names,
            labels=_labels(body),
            body=body,
            form=_wanted(body),
        )

    def write(self, route: Route, asked: InferenceRequest | Feedback, answer: InferenceResponse | Feedback) -> Any:
        assert isinstance(asked, InferenceRequest) and isinstance(answer, InferenceResponse)
        outputs, raw = [], []
        for name, is_binary in asked.form:
            tensor = _output(name, answer.prediction)
            said = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
            if is_binary:
                raw.append(to_bytes(tensor))
                outputs.append({**said, "parameters": {"binary_data_size": len(raw[-1])}})
            else:
                outputs.append({**said, "data": tensor.data})
        endpoint = answer.endpoint
        whole = {
            "model_name": endpoint.deployment, "model_version": endpoint.version, "id": answer.id, "outputs": outputs,
        }  # fmt: skip
        if not raw:
            return whole
        head = orjson.dumps(whole)
        headers = {"Inference-Header-Content-Length": str(len(head))}
        return Content(head + b"".join(raw), "application/octet-stream", headers)

    def describe(self, route: Route, models: Sequence[About]) -> Any:
        if route.operation is Operation.SERVER:
            return {"name": "leeway", "version": "v2", "extensions": _EXTENSIONS}
        if route.operation is Operation.LIVE:
            return {"live": True}
        if route.operation is Operation.READY:
            return {"ready": True}
        if route.operation is Operation.INDEX:
            return [_indexed(model) for model in models]
        if route.operation in (Operation.LOAD, Operation.UNLOAD):
            return {"name": route.deployment, **({"version": models[0].version} if models else {})}
        if route.operation is Operation.MODEL_READY:
            return {"name": models[0].name, "ready": True}
        return _metadata(models[0])

    def error(self, error: ServingError, id: str) -> Any:
        return {"error": str(error)}


def _indexed(model: About) -> dict[str, str]:
    state = ("READY", "") if model.is_ready else ("UNAVAILABLE", "unloaded")
    return {"name": model.name, "version": model.version, "state": state[0], "reason": state[1]}


def _is_tensors(request: HttpRequest) -> bool:
    """Whether the body holds tensors, and not rows as MLRun's protocol has them."""
    body = request.body
    if type(body) is not dict:
        return BINARY_HEADER in request.headers
    inputs = body.get("inputs")
    first = inputs[0] if type(inputs) is list and inputs else None
    return type(first) is dict and ("datatype" in first or ("shape" in first and "name" in first))


def _parts(request: HttpRequest) -> tuple[Mapping[str, Any], bytes]:
    """The JSON, and the raw tensors that follow it."""
    length, body = request[BINARY_HEADER], request.body
    if not length or not isinstance(body, bytes):  # the host may have decoded it
        return json_object(request), b""
    if not length.isdecimal() or int(length) > len(body):
        raise BadRequest(
            f"Inference-Header-Content-Length is {length!r:.40}; expected the length of the JSON, which the body of "
            f"{len(body):,} bytes begins with"
        )
    try:
        head = orjson.loads(body[: int(length)])
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the first {length} bytes of the body are no JSON: {error}") from None
    if not isinstance(head, dict):
        raise BadRequest("the JSON is no object; expected one with the inputs")
    return head, body[int(length) :]


def _tensor(given: Any, raw: bytes, at: int) -> tuple[Tensor, int]:
    """An input, and where the next one's raw bytes begin."""
    if type(given) is not dict or type(name := given.get("name")) is not str:
        raise BadRequest(f"an input is {given!r:.60}; expected an object with name, shape, datatype and data")
    shape, datatype = read_shape(name, given.get("shape")), read_datatype(name, given.get("datatype"))
    size = _parameters(given).get("binary_data_size")
    if size is None:
        return read_json(name, datatype, shape, given.get("data")), at
    if type(size) is not int or not 0 <= size <= len(raw) - at:
        raise BadRequest(f"input {name!r:.80}: binary_data_size is {size!r:.40}; {len(raw) - at} bytes are left")
    return read_bytes(name, datatype, shape, raw[at : at + size]), at + size


def _wanted(body: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """The outputs to give, each with whether it is to be raw bytes."""
    by_default = _parameters(body).get("binary_data_output") is True
    outputs = body.get("outputs")
    if outputs is None or outputs == []:
        return [(_PREDICT, by_default)]
    if type(outputs) is not list or not all(type(each) is dict for each in outputs):
        raise BadRequest(f"outputs is {outputs!r:.60}; expected a list of objects with a name")
    return [_wanted_output(each, by_default) for each in outputs]


def _wanted_output(output: Mapping[str, Any], by_default: bool) -> tuple[str, bool]:
    name = output.get("name")
    if name not in (_PREDICT, _PROBABILITIES):
        raise BadRequest(f"there is no output {name!r:.60}; there are {_PREDICT} and {_PROBABILITIES}")
    return name, _parameters(output).get("binary_data", by_default) is True


def _output(name: str, prediction: Prediction) -> Tensor:
    values = prediction.outputs if name == _PREDICT else prediction.probabilities
    if values is None:
        raise BadRequest(f"this model has no {_PROBABILITIES}; ask for {_PREDICT}")
    return tensor_of(name, values)


def _parameters(of: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = of.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        raise BadRequest(f"parameters is {parameters!r:.60}; expected an object")
    return parameters


def _labels(body: Mapping[str, Any]) -> dict[str, str]:
    """Parameters that are text; the others belong to the protocol."""
    return {name: value for name, value in _parameters(body).items() if type(value) is str}


def _metadata(about: About) -> dict[str, Any]:
    """One input per column where their names are known, else a matrix; outputs where the model says its own."""
    features = [{**feature, "datatype": FP64, "shape": [-1]} for feature in about.features]
    return {
        "name": about.name,
        "versions": [about.version],
        "platform": about.class_name,
        "inputs": features or [{"name": "input", "datatype": FP64, "shape": [-1, -1]}],
        "outputs": [_described_output(output) for output in about.outputs],
        "model_endpoint_uid": about.endpoint_id,
        "sha256": about.sha256,
        "engine": about.engine,
        "engine_reason": about.engine_reason,
        "warnings": about.warnings,
    }


def _described_output(output: Mapping[str, Any]) -> dict[str, Any]:
    return {"datatype": _DATATYPES.get(str(output.get("value_type")), FP64), "shape": [-1], "name": _PREDICT}
