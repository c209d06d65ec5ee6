"""A gateway whose requests leave spans: the request, its protocol's reading and writing, the model or each node of the
graph, the outbox."""

from collections.abc import Callable
from typing import Any

import msgspec

from leeway.tracing import Spans

from .graph.executor import Executor, Place, Run
from .graph.message import Message
from .graph.shadow import Shadow
from .types import Endpoint, Exchange, HttpAnswer, HttpRequest, InferenceRequest


class Traced:
    """Stands for another object, some of whose methods run in a span."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]):
        self._inner = inner
        vars(self).update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def traced_protocol(protocol: Any, spans: Spans) -> Any:
    """Its reading and writing."""
    name = type(protocol).__name__

    def about(*_: Any) -> dict[str, Any]:
        return {"leeway.protocol": name}

    methods = {each: spans.wrapped(f"protocol {each}", getattr(protocol, each), about) for each in ("read", "write")}
    return Traced(protocol, **methods)


def trace_nodes(executor: Executor, spans: Spans) -> None:
    """From now on each node of a graph has a span around those below it."""
    run = executor.run

    def traced(place: Place, message: Message, of: Run) -> Message:
        unit, endpoint = place.find()
        about = {"leeway.node": place.name, "leeway.class": unit.class_name, "leeway.rows": len(message.rows)}
        if endpoint is not None:
            about["leeway.endpoint"] = endpoint.id
        with spans.span(f"node {place.name}", **about):
            return run(place, message, of)

    executor.run, executor.is_watched = traced, True


def trace_shadow(shadow: Shadow, spans: Spans) -> None:
    """From now on what it does, in a process of its own, has a span below the request that it saw; which nodes took how
    long is told there."""
    answer = shadow.answer

    def traced(request: InferenceRequest, live: str, trace: str | None) -> Exchange:
        about = {"leeway.request_id": request.id, "leeway.rows": len(request.rows)}
        with spans.span(f"shadow {shadow.arm.name}", trace, **about):
            found = answer(request, live, trace)
            spans.tell(leeway__nodes=[f"{node.name}: {node.microsec} us" for node in found.walk.nodes])
            if found.error is not None:
                spans.fail(str(found.error))
            return found

    shadow.answer = traced


def traced_plane(plane: Any, spans: Spans) -> Any:
    """The answer of the model; of a graph, whose nodes have spans of their own, the answer of the whole."""
    if plane.executor is not None:
        trace_nodes(plane.executor, spans)
    for arm in (arm for running in plane.running for arm in running.arms):
        arm.is_one_model = False  # it goes through the executor, too, and so has the span of its node
    for shadow in plane.shadows:
        trace_shadow(shadow, spans)
    graphs = {each.deployment.name for each in plane.running}

    def about(endpoint: Endpoint, request: InferenceRequest, *_: Any) -> dict[str, Any]:
        return {"leeway.endpoint": endpoint.id, "leeway.request_id": request.id, "leeway.rows": len(request.rows)}

    model, graph = (spans.wrapped(name, plane.answer, about) for name in ("model", "graph"))

    def answer(endpoint: Endpoint, *rest: Any) -> Any:
        return (graph if endpoint.deployment in graphs else model)(endpoint, *rest)

    return Traced(plane, answer=answer)


def traced_observer(name: str, see: Callable[..., None], spans: Spans) -> Callable[..., None]:
    """What somebody who watches does."""
    return spans.wrapped(name, see, lambda exchange: {"leeway.deployment": exchange.deployment})


class TracedGateway:
    """Goes on with the caller's trace, where it sent one, in answers and in what is recorded."""

    def __init__(self, inner: Any, spans: Spans):
        self._inner, self._spans = inner, spans

    def answer(self, request: HttpRequest) -> HttpAnswer:
        about = {"http.request.method": request.method, "url.path": request.path}
        with self._spans.span("request", request["traceparent"] or None, is_server=True, **about):
            mine = self._spans.traceparent
            answer = self._inner.answer(
                msgspec.structs.replace(request, headers={**request.headers, "traceparent": mine})
            )
            self._spans.tell(http__response__status_code=answer.status)
            self._spans.tell(leeway__request_id=answer.headers.get("X-Request-Id", ""))
            if answer.status >= 500:
                self._spans.fail(str(answer.status))
            answer.headers["traceparent"] = mine
            return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
