"""A Python class of the user's with the methods of Seldon's components, as a node of a graph.

Every method may have Seldon's plain form, `predict(X, names)`, with or without `meta=`, where X is an array, text,
bytes or an object as the message holds it; or its raw one, `predict_raw(message)`, which takes and gives a
SeldonMessage.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from serving.errors import LoadError, ModelFailed
from serving.graph.deployment import AGGREGATE, ROUTE, SEND_FEEDBACK, TRANSFORM_INPUT, TRANSFORM_OUTPUT, Node
from serving.graph.message import Message
from serving.graph.unit import Choice, Unit
from serving.policies.built_in import merged
from serving.protocols.seldon_payload import BIN, JSON, NDARRAY, STR, read_payload, write_payload
from serving.types import Feedback, InferenceRequest, Prediction

from .user_class import accepted, plain_outputs

_METRICS = ("COUNTER", "GAUGE", "TIMER")
_RESPONSE = "SeldonResponse"


class SeldonComponent:
    """Made with the node's parameters, as far as the constructor takes them, and then loaded, where it has `load`."""

    def __init__(self, kind: type, node: Node):
        offered = {"name": node.name, "model_path": node.uri, "model_uri": node.uri, **node.parameters}
        self._instance = kind(**accepted(kind, offered, node.parameters))
        self._node, self.class_name = node, kind.__name__
        if callable(getattr(self._instance, "load", None)):
            self._instance.load()

    def unit(self, version: str) -> Unit:
        """What the node asks of it; LoadError where it lacks a method for that."""
        does, is_model = self._node.does, self._node.kind == "MODEL"
        given = {
            TRANSFORM_INPUT: self._step("predict" if is_model else "transform_input", is_model),
            TRANSFORM_OUTPUT: self._step("transform_output", True),
            ROUTE: self._route(),
            AGGREGATE: self._aggregate(),
            SEND_FEEDBACK: self._feedback(),
        }
        missing = [each for each in does if given[each] is None and each != SEND_FEEDBACK]
        if missing:
            raise LoadError(f"node {self._node.name!r}: class {self.class_name} has no method for {missing[0]}")
        wanted = {name: given[name] if name in does else None for name in given}
        return Unit(
            self.class_name, version, wanted[TRANSFORM_INPUT], wanted[ROUTE], wanted[AGGREGATE],
            wanted[TRANSFORM_OUTPUT], wanted[SEND_FEEDBACK],
        )  # fmt: skip

    def _step(self, name: str, speaks: bool) -> Callable[[Message, InferenceRequest], Message] | None:
        raw, plain = self._method(f"{name}_raw"), _with_meta(self._method(name))
        if raw is not None:
            return lambda message, request: self._read(raw(_written(message, request)), message)
        if plain is None:
            return None

        def step(message: Message, request: InferenceRequest) -> Message:
            said = plain(_payload(message, request), message.names or [], _meta(message, request))
            return self._message(said, speaks, message)

        return step

    def _route(self) -> Callable[[Message, InferenceRequest], Choice] | None:
        raw, plain = self._method("route_raw"), _with_meta(self._method("route"))
        if raw is not None:
            return lambda message, request: Choice(self._branch(raw(_written(message, request))))
        if plain is None:
            return None
        return lambda message, request: Choice(
            self._branch(plain(_payload(message, request), message.names or [], _meta(message, request)))
        )

    def _branch(self, said: Any) -> int:
        """A whole number, numpy's too, or the first value of a SeldonMessage."""
        if isinstance(said, Mapping):
            said = read_payload(said).rows
        while isinstance(said, list | np.ndarray) and len(said):
            said = said[0]
        if isinstance(said, np.integer) or (isinstance(said, float) and said.is_integer()):
            said = int(said)
        if type(said) is not int:
            raise ModelFailed(f"class {self.class_name} routed to {said!r:.40}; expected the index of a child")
        return said

    def _aggregate(self) -> Callable[[Sequence[Message], InferenceRequest], Message] | None:
        raw, plain = self._method("aggregate_raw"), _with_meta(self._method("aggregate"))
        if raw is None and plain is None:
            return None

        def aggregate(messages: Sequence[Message], request: InferenceRequest) -> Message:
            tags, metrics = merged(messages)
            before = Message([], None, None, tags, metrics)
            if raw is not None:
                return self._read(raw({"seldonMessages": [_written(each, request) for each in messages]}), before)
            given = [_array(each.rows) for each in messages]
            said = plain(given, [each.names or [] for each in messages], [_meta(each, request) for each in messages])
            return self._message(said, True, before)

        return aggregate

    def _feedback(self) -> Callable[[Feedback, int | None], None] | None:
        raw, plain = self._method("send_feedback_raw"), self._method("send_feedback")
        if raw is not None:
            return lambda told, branch: _ignore(raw(_written_feedback(told)))
        if plain is None:
            return None
        routed = "routing" in inspect.signature(plain).parameters

        def feedback(told: Feedback, branch: int | None) -> None:
            truth = None if told.truth is None else _array(told.truth)
            given = (_array(told.asked or []), told.names or [], told.reward, truth)
            plain(*given, **({"routing": branch} if routed else {}))

        return feedback

    def _method(self, name: str) -> Callable | None:
        found = getattr(self._instance, name, None)
        return found if callable(found) else None

    def _message(self, said: Any, speaks: bool, before: Message) -> Message:
        """What it said, with its tags, its metrics and the names of its columns."""
        tags, metrics = dict(before.tags), list(before.metrics)
        tags |= self._asked("tags", {})
        metrics += self._checked(self._asked("metrics", []))
        if type(said).__name__ == _RESPONSE:
            tags |= said.tags or {}
            metrics += self._checked(said.metrics or [])
            said = said.data
        rows = plain_outputs(said, self._node.name)
        names = self._asked("class_names" if speaks else "feature_names", None)
        if names is None and not speaks:
            names = before.names
        prediction = Prediction(rows) if speaks else None
        return Message(rows, None if names is None else [str(name) for name in names], prediction, tags, metrics)

    def _read(self, said: Any, before: Message) -> Message:
        """A SeldonMessage; ModelFailed where it is none."""
        if not isinstance(said, Mapping):
            raise ModelFailed(f"class {self.class_name} answered {said!r:.60}; its raw methods give a SeldonMessage")
        payload, meta = read_payload(said), said.get("meta") or {}
        tags = before.tags | (meta.get("tags") or {})
        metrics = before.metrics + self._checked(meta.get("metrics") or [])
        rows = plain_outputs(payload.rows, self._node.name)
        return Message(rows, payload.names, Prediction(rows), tags, metrics)

    def _asked(self, name: str, default: Any) -> Any:
        """Of a method, or of an attribute as older components have it."""
        found = getattr(self._instance, name, default)
        return found() if callable(found) else found

    def _checked(self, metrics: Any) -> list[dict[str, Any]]:
        for each in metrics:
            known = isinstance(each, Mapping) and isinstance(each.get("key"), str) and each.get("type") in _METRICS
            if not known or type(each.get("value")) not in (int, float):
                raise ModelFailed(
                    f"class {self.class_name} has the metric {each!r:.80}; expected key, type ({', '.join(_METRICS)}) "
                    "and a number as value"
                )
        return [dict(each) for each in metrics]


def _with_meta(method: Callable | None) -> Callable | None:
    """Takes (X, names, meta), whichever of them the method does."""
    if method is None:
        return None
    parameters = inspect.signature(method).parameters
    kinds = [each.kind for each in parameters.values()]
    if "meta" in parameters or "metas" in parameters or inspect.Parameter.VAR_KEYWORD in kinds:
        name = "metas" if "metas" in parameters else "meta"
        return lambda given, names, meta: method(given, names, **{name: meta})
    positional = [kind for kind in kinds if kind in (kind.POSITIONAL_ONLY, kind.POSITIONAL_OR_KEYWORD)]
    if len(positional) > 1 or inspect.Parameter.VAR_POSITIONAL in kinds:
        return lambda given, names, meta: method(given, names)
    return lambda given, names, meta: method(given)


def _payload(message: Message, request: InferenceRequest) -> Any:
    """As the message held it, as long as nobody has changed it; else an array."""
    if message.rows is request.rows and request.body:
        for kind in (STR, JSON, BIN):
            if kind in request.body:
                return message.rows[0] if kind != JSON else request.body[JSON]
    return _array(message.rows)


def _array(rows: list[Any]) -> np.ndarray:
    try:
        return np.array(rows)
    except ValueError:  # rows of several lengths
        return np.array(rows, dtype=object)


def _meta(message: Message, request: InferenceRequest) -> dict[str, Any]:
    return {"puid": request.id, "tags": message.tags, "metrics": message.metrics}


def _written(message: Message, request: InferenceRequest) -> dict[str, Any]:
    return {**write_payload(NDARRAY, message.rows, message.names or []), "meta": _meta(message, request)}


def _written_feedback(told: Feedback) -> dict[str, Any]:
    truth = {} if told.truth is None else {"truth": {"data": {NDARRAY: told.truth}}}
    return {
        "request": {"data": {"names": told.names or [], NDARRAY: told.asked or []}},
        "response": {"meta": {"puid": told.about, "routing": told.routing}},
        "reward": told.reward,
        **truth,
    }


def _ignore(said: Any) -> None:
    """What a component answers to feedback goes nowhere."""
