"""The front door: one request in, one answer out, whatever the host, the protocol and the model."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from .dataplane import DataPlane
from .errors import MethodNotAllowed, ModelFailed, NotFound, ServingError, TooLarge, status_of
from .metrics import CONTENT_TYPE, Metrics
from .protocols.base import Protocol
from .request_id import header_value, request_id
from .types import Exchange, Feedback, HttpAnswer, HttpRequest, InferenceRequest, InferenceResponse, Operation, Route

Observer = Callable[[Exchange], None]

_log = logging.getLogger("leeway.serving")
_OF_MODEL = (Operation.MODEL, Operation.MODEL_READY)
_OWN = {"metrics": Route(Operation.METRICS, ("GET", "HEAD"))}  # paths of no protocol


class Gateway:
    """Finds the protocol of a request, has it read, run and written, and shows the exchange to those who watch.

    `observers` see every request to a deployment before its answer leaves; one that fails is logged and counted.
    `max_body` is in bytes. No exception leaves `answer`.
    """

    def __init__(
        self,
        plane: DataPlane,
        protocols: Sequence[Protocol],
        metrics: Metrics,
        observers: Sequence[Observer] = (),
        max_body: int = 64 << 20,
    ):
        self._plane, self._protocols, self._metrics = plane, tuple(protocols), metrics
        self._observers, self._max_body = (*observers, metrics.see), max_body

    def answer(self, request: HttpRequest) -> HttpAnswer:
        begin, when = time.perf_counter_ns(), time.time()
        protocol = self._protocols[0]
        try:
            protocol, route = self._route(request)
            if route.operation in (Operation.INFER, Operation.EXPLAIN, Operation.FEEDBACK):
                return self._exchange(protocol, route, request, begin, when)
            return self._describe(protocol, route, request)
        except ServingError as error:
            return self._refuse(protocol, error, request_id(None, request.headers))
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return self._refuse(protocol, ModelFailed("the server failed; its log says where"), "")

    def _route(self, request: HttpRequest) -> tuple[Protocol, Route]:
        for protocol in self._protocols:
            route = protocol.route(request)
            if route is not None:
                break
        else:
            protocol, route = self._protocols[0], _OWN.get(request.path.strip("/"))
        if route is None:
            raise NotFound(f"there is no path {request.path:.200}; GET /v2/models lists the models that are served")
        if request.method not in route.methods:
            raise MethodNotAllowed(
                f"{request.method:.20} is not for {request.path:.200}; use {' or '.join(route.methods)}", route.methods
            )
        return protocol, route

    def _exchange(self, protocol: Protocol, route: Route, request: HttpRequest, begin: int, when: float) -> HttpAnswer:
        """A request that is recorded: one to a deployment that is served."""
        endpoint = self._plane.endpoint(route.deployment, route.version)
        asked = said = error = None
        try:
            self._check_size(request)
            asked = protocol.read(route, request)
            said = asked if isinstance(asked, Feedback) else self._plane.answer(endpoint, asked)
            body = orjson.dumps(protocol.write(route, said))
        except ServingError as failure:
            error = failure
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            error = ModelFailed(f"the server failed at a request to {endpoint.deployment!r}; its log says where")
        id = asked.id if asked is not None else request_id(None, request.headers)
        status = 200 if error is None else status_of(error)
        self._show(
            Exchange(
                id=id, operation=route.operation, deployment=endpoint.deployment, endpoint=endpoint, when=when,
                microsec=(time.perf_counter_ns() - begin) // 1000, status=status,
                request=asked if isinstance(asked, InferenceRequest) else None,
                response=said if error is None and isinstance(said, InferenceResponse) else None,
                feedback=asked if isinstance(asked, Feedback) else None,
                error=error, trace=request.headers.get("traceparent"),
            )
        )  # fmt: skip
        if error is not None:
            return self._refuse(protocol, error, id)
        return HttpAnswer(200, body, {"X-Request-Id": header_value(id)})

    def _describe(self, protocol: Protocol, route: Route, request: HttpRequest) -> HttpAnswer:
        headers = {"X-Request-Id": header_value(request_id(None, request.headers))}
        if route.operation is Operation.METRICS:
            return HttpAnswer(200, self._metrics.text(), headers, CONTENT_TYPE)
        if route.operation in _OF_MODEL:
            self._plane.endpoint(route.deployment, route.version)
        models = self._plane.about(route.deployment)
        return HttpAnswer(200, orjson.dumps(protocol.describe(route, models)), headers)

    def _check_size(self, request: HttpRequest) -> None:
        if isinstance(request.body, bytes) and len(request.body) > self._max_body:
            raise TooLarge(f"the body has {len(request.body):,} bytes; at most {self._max_body:,} are taken: send less")

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
        return HttpAnswer(status_of(error), _json(protocol.error(error, id)), headers)


def _json(value: Any) -> bytes:
    """Text that a client sent, and that comes back in a message, may hold what JSON cannot."""
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):
        return orjson.dumps({name: str(text).encode("utf-8", "replace").decode() for name, text in value.items()})
