"""Seldon's implementations that need no code of the user's, and one more for votes."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from serving.errors import LoadError
from serving.graph.deployment import Node
from serving.graph.message import Message
from serving.graph.unit import Choice, Unit
from serving.types import InferenceRequest, Prediction

from .combine import average, vote
from .draw import draw

_SIMPLE_OUTPUT, _SIMPLE_NAMES = [0.1, 0.9, 0.5], ["class0", "class1", "class2"]


def _simple_model(node: Node, random: Random) -> Unit:
    """The same scores for every row: for trying out a graph."""

    def predict(message: Message, request: InferenceRequest) -> Message:
        outputs = [list(_SIMPLE_OUTPUT) for _ in message.rows]
        return Message(outputs, _SIMPLE_NAMES, Prediction(outputs), message.tags, message.metrics)

    return Unit("SIMPLE_MODEL", "1", transform_input=predict)


def _simple_router(node: Node, random: Random) -> Unit:
    """Always the first child."""
    return Unit("SIMPLE_ROUTER", "1", route=lambda message, request: Choice(0, 1.0))


def _random_abtest(node: Node, random: Random) -> Unit:
    """The first child with the probability `ratioA`, else the second."""
    ratio = _number(node.name, node.parameters, "ratioA", 0.5)
    if len(node.children) != 2 or not 0 <= ratio <= 1:
        raise LoadError(
            f"node {node.name!r}: RANDOM_ABTEST has 2 children and a ratioA from 0 to 1; this one has "
            f"{len(node.children)} and {ratio:g}"
        )
    among = draw((ratio, 1 - ratio))
    return Unit("RANDOM_ABTEST", "1", route=lambda message, request: Choice(*among(random.random())))


def _combiner(name: str, combine: Callable[[Sequence[Prediction]], Prediction]) -> Callable[[Node, Random], Unit]:
    def aggregate(messages: Sequence[Message], request: InferenceRequest) -> Message:
        said = combine([each.said for each in messages])
        names = [each.names for each in messages]
        alike = names[0] if names.count(names[0]) == len(names) else None
        return Message(said.outputs, alike, said, *merged(messages))

    return lambda node, random: Unit(name, "1", aggregate=aggregate)


def merged(messages: Sequence[Message]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The tags of several messages, where the last one's count, and the metrics of all."""
    tags: dict[str, Any] = {}
    metrics: list[dict[str, Any]] = []
    for each in messages:
        tags |= each.tags
        metrics += each.metrics
    return tags, metrics


def _number(name: str, parameters: Mapping[str, Any], key: str, default: float) -> float:
    value = parameters.get(key, default)
    if type(value) not in (int, float):
        raise LoadError(f"node {name!r}: parameter {key} is {value!r:.40}; expected a number")
    return float(value)


BUILT_IN: dict[str, Callable[[Node, Random], Unit]] = {
    "SIMPLE_MODEL": _simple_model,
    "SIMPLE_ROUTER": _simple_router,
    "RANDOM_ABTEST": _random_abtest,
    "AVERAGE_COMBINER": _combiner("AVERAGE_COMBINER", average),
    "VOTING_COMBINER": _combiner("VOTING_COMBINER", vote),
}
