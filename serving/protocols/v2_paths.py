"""The paths that MLRun's V2 protocol and the Open Inference Protocol share."""

from serving.types import HttpRequest, Operation, Route

GET, POST, BOTH = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")
_SERVER = {
    "": Route(Operation.SERVER, GET),
    "v2": Route(Operation.SERVER, GET),
    "v2/health": Route(Operation.READY, GET),
    "v2/health/live": Route(Operation.LIVE, GET),
    "v2/health/ready": Route(Operation.READY, GET),
    "v2/models": Route(Operation.MODELS, GET),
    "v2/repository/index": Route(Operation.INDEX, POST),
}
_CHANGES = {"load": Operation.LOAD, "unload": Operation.UNLOAD}
_OF_MODEL = {
    "infer": (Operation.INFER, POST),
    "predict": (Operation.INFER, POST),
    "explain": (Operation.EXPLAIN, POST),
    "feedback": (Operation.FEEDBACK, POST),
    "ready": (Operation.MODEL_READY, GET),
}


def v2_route(request: HttpRequest) -> Route | None:
    """/v2/models/<model>[/versions/<version>][/{infer, predict, explain, feedback, ready}], and the server's own
    paths. POST to the model itself means infer."""
    path = request.path.strip("/")
    if path in _SERVER:
        return _SERVER[path]
    parts = path.split("/")
    if len(parts) == 5 and parts[:3] == ["v2", "repository", "models"] and parts[3] and parts[4] in _CHANGES:
        return Route(_CHANGES[parts[4]], POST, parts[3])
    if len(parts) < 3 or parts[0] != "v2" or parts[1] != "models" or not parts[2]:
        return None
    model, rest, version = parts[2], parts[3:], ""
    if rest[:1] == ["versions"] and len(rest) > 1:
        version, rest = rest[1], rest[2:]
    if not rest:
        return Route(Operation.INFER if request.method == "POST" else Operation.MODEL, BOTH, model, version)
    if len(rest) > 1 or rest[0] not in _OF_MODEL:
        return None
    operation, methods = _OF_MODEL[rest[0]]
    return Route(operation, methods, model, version)
