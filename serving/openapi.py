"""The OpenAPI document of the endpoints, made from the paths that the protocols recognise."""

from collections.abc import Mapping, Sequence
from typing import Any

from .types import About

PATH = "docs/openapi.json"
_TITLE = "Leeway model server"

_NUMBER_OR_TEXT = {"type": ["number", "string", "boolean", "null"]}
_ROW = {"type": "array", "minItems": 1, "items": _NUMBER_OR_TEXT}
_ROWS = {"type": "array", "minItems": 1, "items": {}}
_ID = {"type": ["string", "null"], "maxLength": 256, "pattern": "^[ -~]*$"}
_MAYBE = {"type": ["object", "null"]}
_LABELS = {"type": ["object", "null"], "additionalProperties": {"type": "string"}}
_OPTIONAL = ("IndexRequest", "RepositoryLoad", "RepositoryUnload")
_DATATYPES = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
              "BYTES"]  # fmt: skip


def openapi(models: Sequence[About], has_tokens: bool) -> dict[str, Any]:
    """Version 3.1, for the models that are served."""
    names = [model.name for model in models]
    paths: dict[str, Any] = {}
    for path, operations in _paths(names).items():
        paths[path] = {method: _operation(path, method, *known, has_tokens) for method, known in operations.items()}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": _TITLE, "version": "1"},
        "paths": paths,
        "components": {"schemas": _SCHEMAS},
    }
    if has_tokens:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        }
        document["security"] = [{"bearer": []}, {"key": []}]
    return document


def _paths(names: Sequence[str]) -> dict[str, dict[str, tuple[str, str, str]]]:
    """{path: {method: (what it asks, what it answers, whose error form)}}"""
    found: dict[str, dict[str, tuple[str, str, str]]] = {
        "/": {"get": ("", "Any", "Error")},
        "/v2": {"get": ("", "ServerMetadata", "Error")},
        "/v2/health/live": {"get": ("", "Live", "Error")},
        "/v2/health/ready": {"get": ("", "Ready", "Error")},
        "/v2/models": {"get": ("", "Models", "Error")},
        "/v2/repository/index": {"post": ("IndexRequest", "Index", "Error")},
        "/v1/models": {"get": ("", "Models", "Error")},
        "/metrics": {"get": ("", "Text", "Error")},
        f"/{PATH}": {"get": ("", "Any", "Error")},
    }
    for name in names:
        found |= _of_model(name)
    if len(names) == 1:
        found |= _of_seldon("", names[0])
    return found


def _of_model(name: str) -> dict[str, dict[str, tuple[str, str, str]]]:
    v2, v1 = f"/v2/models/{name}", f"/v1/models/{name}"
    return {
        v2: {"get": ("", "ModelMetadata", "Error"), "post": ("V2Request", "V2Response", "Error")},
        f"{v2}/ready": {"get": ("", "ModelReady", "Error")},
        f"{v2}/infer": {"post": ("V2Request", "V2Response", "Error")},
        f"{v2}/explain": {"post": ("V2Request", "V2Response", "Error")},
        f"{v2}/feedback": {"post": ("Feedback", "FeedbackTaken", "Error")},
        f"/v2/repository/models/{name}/load": {"post": ("RepositoryLoad", "RepositoryChange", "Error")},
        f"/v2/repository/models/{name}/unload": {"post": ("RepositoryUnload", "RepositoryChange", "Error")},
        f"{v1}": {"get": ("", "Any", "Error")},
        f"{v1}/metadata": {"get": ("", "Any", "Error")},
        f"{v1}:predict": {"post": ("TensorflowRequest", "TensorflowResponse", "Error")},
        f"/{name}/predict": {"post": ("MlrunV1Request", "MlrunV1Response", "Error")},
        f"/{name}/explain": {"post": ("MlrunV1Request", "MlrunV1Response", "Error")},
        f"/{name}/feedback": {"post": ("Feedback", "FeedbackTaken", "Error")},
        **_of_seldon(f"/seldon/default/{name}", name),
    }


def _of_seldon(prefix: str, name: str) -> dict[str, dict[str, tuple[str, str, str]]]:
    api = f"{prefix}/api/v1.0"
    return {
        f"{api}/predictions": {"post": ("SeldonMessage", "SeldonMessage", "SeldonError")},
        f"{api}/explain": {"post": ("SeldonMessage", "SeldonMessage", "SeldonError")},
        f"{api}/feedback": {"post": ("SeldonFeedback", "SeldonMessage", "SeldonError")},
        f"{api}/status": {"get": ("", "SeldonMessage", "SeldonError")},
        f"{api}/status/{name}": {"get": ("", "SeldonMessage", "SeldonError")},
        f"{api}/metadata": {"get": ("", "Any", "SeldonError")},
        f"{api}/metadata/{name}": {"get": ("", "Any", "SeldonError")},
        f"{api}/doc": {"get": ("", "Any", "SeldonError")},
    }


def _operation(path: str, method: str, asks: str, answers: str, error: str, has_tokens: bool) -> dict[str, Any]:
    content = {"text/plain": {"schema": _ref(answers)}} if answers == "Text" else _json(answers)
    said: dict[str, Any] = {
        "operationId": f"{method} {path}",
        "responses": {"200": {"description": "the answer", "content": content}},
    }
    codes = ["401", "403"] if has_tokens and not path.startswith("/v2/health") else []
    codes += ["404"]  # of a model that was unloaded
    if path.startswith("/v2/repository/models/"):
        codes += ["503"]
    if asks:
        codes += ["400", "413", "415", "500"] + (["501"] if path.endswith("/explain") else [])
        said["requestBody"] = {"required": asks not in _OPTIONAL, "content": _json(asks)}
    for code in codes:
        said["responses"][code] = {"description": "what was wrong, and what to do", "content": _json(error)}
    return said


def _json(name: str) -> Mapping[str, Any]:
    return {"application/json": {"schema": _ref(name)}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


_TENSOR = _object(
    ("name", "shape", "datatype", "data"),
    name={"type": "string"},
    shape={"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 1}},
    datatype={"enum": _DATATYPES},
    data={"type": "array", "items": {}},
    parameters=_MAYBE,
)
_SCHEMAS: dict[str, Any] = {
    "Any": {},
    "Text": {"type": "string"},
    "Error": _object(("error",), error={"type": "string"}, id={"type": "string"}),
    "Models": _object(("models",), models={"type": "array", "items": {"type": "string"}}),
    "Live": _object(("live",), live={"const": True}),
    "Ready": _object(("ready",), ready={"const": True}),
    "ModelReady": _object(("name", "ready"), name={"type": "string"}, ready={"const": True}),
    "ServerMetadata": _object(
        ("name", "version", "extensions"),
        name={"type": "string"},
        version={"type": "string"},
        extensions={"type": "array", "items": {"type": "string"}},
    ),
    "ModelMetadata": _object(
        ("name", "platform", "inputs", "outputs"),
        name={"type": "string"},
        versions={"type": "array", "items": {"type": "string"}},
        platform={"type": "string"},
        inputs={"type": "array", "items": {"type": "object"}},
        outputs={"type": "array", "items": {"type": "object"}},
    ),
    "IndexRequest": {"type": ["object", "null"], "properties": {"ready": {"type": "boolean"}}},
    "RepositoryLoad": {
        "type": ["object", "null"],
        "properties": {
            "parameters": {
                "type": "object",
                "properties": {"model_uri": {"type": "string"}, "version": {"type": "string"}},
                "additionalProperties": False,
            }
        },
    },
    "RepositoryUnload": {"type": ["object", "null"], "properties": {"parameters": {"type": "object"}}},
    "RepositoryChange": _object(("name",), name={"type": "string"}, version={"type": "string"}),
    "Index": {
        "type": "array",
        "items": _object(("name",), name={"type": "string"}, version={"type": "string"}, state={"type": "string"}),
    },
    "Tensor": _TENSOR,
    "V2Request": {
        "description": "tensors (Open Inference Protocol) or plain rows (MLRun)",
        "anyOf": [
            _object(
                ("inputs",),
                id=_ID,
                inputs={"type": "array", "minItems": 1, "items": _ref("Tensor")},
                outputs={
                    "type": ["array", "null"],
                    "items": _object(("name",), name={"enum": ["predict", "predict_proba"]}),
                },
                parameters=_MAYBE,
            ),
            _object(("inputs",), id=_ID, inputs={"type": "array", "minItems": 1, "items": _ROW}, labels=_LABELS),
        ],
    },
    "V2Response": _object(
        ("model_name", "outputs"),
        id={"type": "string"},
        model_name={"type": "string"},
        model_version={"type": "string"},
        outputs={"type": "array"},
    ),
    "MlrunV1Request": _object(("instances",), id=_ID, instances=_ROWS, labels=_LABELS),
    "MlrunV1Response": _object(("id", "predictions"), id={"type": "string"}, predictions={"type": "array"}),
    "Feedback": _object(
        (),
        id=_ID,
        rows={"type": ["array", "null"], "items": {"type": "integer", "minimum": 0}},
        truth={"type": ["array", "null"]},
        reward={"type": ["number", "array", "null"]},
    ),
    "FeedbackTaken": _object(("id",), id={"type": "string"}),
    "TensorflowRequest": {
        "oneOf": [_object(("instances",), instances=_ROWS), _object(("inputs",), inputs={"type": ["array", "object"]})]
    },
    "TensorflowResponse": _object((), predictions={"type": "array"}, outputs={"type": "array"}),
    # One payload is read, and what stands beside it is not looked at: hence no types.
    "SeldonMessage": _object(
        (),
        meta=_MAYBE,
        data={"description": "names, and one of ndarray, tensor (shape, values) and tftensor (a TensorProto)"},
        strData={"description": "text"},
        jsonData={"description": "anything"},
        binData={"description": "bytes in base64"},
    ),
    "SeldonFeedback": _object(
        (),
        request={"type": ["object", "null"], "description": "a SeldonMessage, or its meta alone"},
        response={"type": ["object", "null"], "description": "likewise; meta.puid says whose the truth is"},
        truth={"type": ["object", "null"], "description": "a SeldonMessage with one value per row"},
        reward={"type": ["number", "null"]},
    ),
    "SeldonError": _object(
        ("status",),
        status=_object(
            ("code", "info", "reason", "status"),
            code={"type": "integer"},
            info={"type": "string"},
            reason={"type": "string"},
            status={"type": ["integer", "string"]},
        ),
    ),
}
