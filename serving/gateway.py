"""The front door: one request in, one answer out, whatever the host, the protocol and the model."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from leeway.log_context import UNDERWAY

from . import openapi
from .auth import Auth
from .body import json_object, opened
from .columns import in_model_order
from .cors import Cors
from .dataplane import DataPlane
from .errors import (
    BadRequest,
    MethodNotAllowed,
    ModelFailed,
    NotFound,
    NotOffered,
    ServingError,
    Unauthorized,
    status_of,
)
from .metrics import CONTENT_TYPE, Metrics
from .protocols.base import Protocol
from .repository import Repository
from .request_id import header_value, request_id
from .types import (
    About,
    Content,
    Endpoint,
    Exchange,
    Feedback,
    HttpAnswer,
    HttpRequest,
    InferenceRequest,
    InferenceResponse,
    Operation,
    Route,
)

Observer = Callable[[Exchange], None]

_log = logging.getLogger("leeway.serving")
_OF_MODEL = (Operation.MODEL, Operation.MODEL_READY, Operation.GRAPH)
_CHANGES = (Operation.LOAD, Operation.UNLOAD)
_EXCHANGES = (Operation.INFER, Operation.EXPLAIN, Operation.FEEDBACK)
_NONE = Auth(), Cors()
# Paths of no protocol
_OWN = {
    "metrics": Route(Operation.METRICS, ("GET", "HEAD")),
    openapi.PATH: Route(Operation.DOCUMENT, ("GET", "HEAD")),
}


class Gateway:
    """Finds the protocol of a request, has it read, run and written, and shows the exchange to those who watch.

    `observers` see every request to a deployment before its answer leaves; one that fails is logged and counted.
    `max_body` is in bytes, packed or not. No exception leaves `answer`.
    """

    def __init__(
        self,
        plane: DataPlane,
        protocols: Sequence[Protocol],
        metrics: Metrics,
        observers: Sequence[Observer] = (),
        max_body: int = 64 << 20,
        auth: Auth = _NONE[0],
        cors: Cors = _NONE[1],
        repository: Repository | None = None,
    ):
        self._plane, self._protocols, self._metrics = plane, tuple(protocols), metrics
        self._in_flight = metrics.in_flight
        self._observers, self._max_body = (*observers, metrics.see), max_body
        self._auth, self._cors, self._repository = auth, cors, repository

    def answer(self, request: HttpRequest) -> HttpAnswer:
        answer = self._answer(request)
        if "origin" in request.headers:
            answer.headers.update(self._cors.headers(request))
        return answer

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        begin, when = time.perf_counter_ns(), time.time()
        protocol = self._protocols[0]
        try:
            request, refusal = opened(request, self._max_body)
            protocol, route = self._route(request)
            if request.method == "OPTIONS":
                return HttpAnswer(204, b"", self._cors.preflight(request, route.methods))
            self._auth.check(route.operation, request)
            if route.operation in _EXCHANGES:
                endpoint = self._endpoint(route)
                in_flight = self._in_flight[endpoint.deployment]
                in_flight[0] = 1.0
                try:
                    return self._exchange(protocol, route, endpoint, request, refusal, begin, when)
                finally:
                    in_flight[0] = 0.0
                    UNDERWAY.now = None
            return self._describe(protocol, route, request)
        except ServingError as error:
            return self._refuse(protocol, error, request_id(None, request.headers))
        except Exception:
            id = request_id(None, request.headers)
            UNDERWAY.now = ("", id, request.headers.get("traceparent"))
            _log.exception("%s %s failed", request.method, request.path)
            UNDERWAY.now = None
            return self._refuse(protocol, ModelFailed("the server failed; its log says where"), id)

    def _route(self, request: HttpRequest) -> tuple[Protocol, Route]:
        for protocol in self._protocols:
            route = protocol.route(request)
            if route is not None:
                break
        else:
            protocol, route = self._protocols[0], _OWN.get(request.path.strip("/"))
        if route is None:
            raise NotFound(f"there is no path {request.path:.200}; GET /v2/models lists the models that are served")
        if request.method not in route.methods and request.method != "OPTIONS":
            raise MethodNotAllowed(
                f"{request.method:.20} is not for {request.path:.200}; use {' or '.join(route.methods)}", route.methods
            )
        return protocol, route

    def _endpoint(self, route: Route) -> Endpoint:
        """Of whom it is asked; a path that names nobody means the only deployment."""
        name = route.deployment
        if not name:
            names = [model.name for model in self._plane.about()]
            if len(names) != 1:
                raise NotFound(
                    f"several deployments are served here, so the path has to name one: {', '.join(names)} "
                    "(Seldon's form is /seldon/<namespace>/<deployment>/api/v1.0/...)"
                )
            name = names[0]
        return self._plane.endpoint(name, route.version)

    def _exchange(
        self,
        protocol: Protocol,
        route: Route,
        endpoint: Endpoint,
        request: HttpRequest,
        refusal: ServingError | None,
        begin: int,
        when: float,
    ) -> HttpAnswer:
        """A request that is recorded: one to a deployment that is served."""
        asked = said = error = walk = None
        id, trace = "", request.headers.get("traceparent")
        content = Content(b"", "application/json")
        try:
            if refusal is not None:
                raise refusal
            asked = protocol.read(route, request)
            id = asked.id
            UNDERWAY.now = (endpoint.deployment, id, trace)
            if isinstance(asked, Feedback):
                said, walk = asked, self._plane.hear(endpoint, asked)
                endpoint = endpoint if walk is None else walk.endpoint
            else:
                if asked.names:
                    asked = in_model_order(asked, endpoint)
                said = self._plane.answer(endpoint, asked, request.headers, route.version)
                endpoint, walk = said.endpoint, said.walk
            content = _content(protocol.write(route, asked, said))
        except ServingError as failure:
            error, walk = failure, failure.walk
            endpoint = endpoint if walk is None else walk.endpoint
        except Exception:
            id = id or request_id(None, request.headers)
            UNDERWAY.now = (endpoint.deployment, id, trace)
            _log.exception("%s %s failed", request.method, request.path)
            error = ModelFailed(f"the server failed at a request to {endpoint.deployment!r}; its log says where")
        id = id or request_id(None, request.headers)
        status = 200 if error is None else status_of(error)
        self._show(
            Exchange(
                id=id, operation=route.operation, deployment=endpoint.deployment, endpoint=endpoint, when=when,
                microsec=(time.perf_counter_ns() - begin) // 1000, status=status,
                request=asked if isinstance(asked, InferenceRequest) else None,
                response=said if error is None and isinstance(said, InferenceResponse) else None,
                feedback=asked if isinstance(asked, Feedback) else None,
                error=error, trace=trace, walk=walk,
            )
        )  # fmt: skip
        if error is not None:
            return self._refuse(protocol, error, id)
        headers = {"X-Request-Id": header_value(id), **content.headers}
        if walk is not None and walk.arm is not None:
            headers["X-Leeway-Arm"] = walk.arm if walk.arm.isascii() else header_value(walk.arm)
        return HttpAnswer(200, content.body, headers, content.content_type)

    def _describe(self, protocol: Protocol, route: Route, request: HttpRequest) -> HttpAnswer:
        headers = {"X-Request-Id": header_value(request_id(None, request.headers))}
        if route.operation is Operation.METRICS:
            return HttpAnswer(200, self._metrics.text(), headers, CONTENT_TYPE)
        if route.operation is Operation.DOCUMENT:
            document = openapi.openapi(self._plane.about(), self._auth.is_on)
            return HttpAnswer(200, orjson.dumps(document), headers)
        if route.operation in _CHANGES:
            models = self._change(route, _optional(request))
        elif route.operation is Operation.INDEX:
            models = self._index(_optional(request))
        else:
            models = self._plane.about(self._endpoint(route).deployment if route.operation in _OF_MODEL else "")
        content = _content(protocol.describe(route, models))
        return HttpAnswer(200, content.body, {**headers, **content.headers}, content.content_type)

    def _index(self, body: dict[str, Any]) -> list[About]:
        ready = body.get("ready", False)
        if not isinstance(ready, bool):
            raise BadRequest(f"ready is {ready!r:.60}; expected true or false")
        return self._plane.about() if ready else self._plane.about() + self._plane.unloaded()

    def _change(self, route: Route, body: dict[str, Any]) -> list[About]:
        """Load or unload a model; what is known of it then."""
        parameters = body.get("parameters", {})
        if not isinstance(parameters, dict):
            raise BadRequest(f"parameters is {parameters!r:.60}; expected an object")
        if self._repository is None:
            raise NotOffered("this host loads its models itself; deploy it again to change them")
        if route.operation is Operation.UNLOAD:
            self._repository.unload(route.deployment)
            return []
        self._repository.load(route.deployment, parameters)
        return self._plane.about(route.deployment)

    def _show(self, exchange: Exchange) -> None:
        for see in self._observers:
            try:
                see(exchange)
            except Exception:
                self._metrics.observer_failed()
                _log.exception("an exchange could not be recorded")

    def _refuse(self, protocol: Protocol, error: ServingError, id: str) -> HttpAnswer:
        headers = {"X-Request-Id": header_value(id)} if id else {}
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = ", ".join(error.allowed)
        if isinstance(error, Unauthorized):
            headers["WWW-Authenticate"] = "Bearer"
        return HttpAnswer(status_of(error), _json(protocol.error(error, id)), headers)


def _optional(request: HttpRequest) -> dict[str, Any]:
    """A body that may be left out, or null."""
    return {} if request.body in (None, "", b"", b"null") else json_object(request)


def _content(said: Any) -> Content:
    return said if isinstance(said, Content) else Content(orjson.dumps(said), "application/json")


def _json(value: Any) -> bytes:
    """Text that a client sent, and that comes back in a message, may hold what JSON cannot."""
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):
        return orjson.dumps(_readable(value))


def _readable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _readable(each) for name, each in value.items()}
    return value if type(value) is int else str(value).encode("utf-8", "replace").decode()
