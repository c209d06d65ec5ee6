"""From a predictor's tree of nodes to places that an executor runs."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

import msgspec

from serving.columns import in_model_order
from serving.errors import LoadError
from serving.models.find_class import is_built_in
from serving.models.load import LoadedModel
from serving.policies.built_in import BUILT_IN
from serving.types import Endpoint, InferenceRequest, Prediction

from .bandit import BANDITS
from .deployment import COMPONENT, HOSTED, MODEL, SERVERS, Node
from .executor import Pace, Place
from .message import Message
from .unit import Unit

_PROBABILITIES = "predict_proba"


class Served(NamedTuple):
    """One loaded model, and who it is. Exchanging a model is putting another one in its place."""

    endpoint: Endpoint
    loaded: LoadedModel


def place(node: Node, key: Callable[[Node], str], served: Mapping[str, Served], units: Mapping[str, Unit]) -> Place:
    """A node with all below it. `units` has what needs no model; models are looked up in `served` each time."""
    name = key(node)
    if name in units:
        found = units[name], None
        find = lambda: found  # noqa: E731
    else:
        find = _finder(node, name, served)
    pace = Pace(is_known=name not in units and is_built_in(node.class_name) and node.implementation != HOSTED)
    children = tuple(place(each, key, served, units) for each in node.children)
    is_flat = not any(each.children or each.timeout_s is not None for each in children)
    return Place(node.name, find, pace, children, node.timeout_s, is_flat)


def _finder(node: Node, name: str, served: Mapping[str, Served]) -> Callable[[], tuple[Unit, Endpoint | None]]:
    kept: tuple[Served | None, tuple] = None, ()

    def find() -> tuple[Unit, Endpoint | None]:
        nonlocal kept
        one = served[name]
        was, found = kept
        if one is not was:
            found = unit_of_model(node, one), one.endpoint
            kept = one, found
        return found

    return find


def built_in(node: Node, random: Random) -> Unit | None:
    """The unit of a node that needs no model and no class; None for others. LoadError for an unknown implementation."""
    if node.implementation in BUILT_IN:
        return BUILT_IN[node.implementation](node, random)
    if node.implementation not in ("", COMPONENT, HOSTED, *SERVERS):
        known = ", ".join((*SERVERS, *BUILT_IN, *BANDITS))
        raise LoadError(
            f"node {node.name!r}: no implementation is called {node.implementation!r:.60}; there are {known}"
        )
    if not node.implementation and not node.uri and not node.class_name:
        return _passes_on(node)
    return None


def unit_of_model(node: Node, served: Served) -> Unit:
    """A model in a graph: rows in, outputs out. `method: predict_proba` makes the probabilities its outputs."""
    endpoint, loaded = served
    model, wants_probabilities = loaded.model, node.parameters.get("method") == _PROBABILITIES

    def predict(message: Message, request: InferenceRequest) -> Message:
        if message.rows is not request.rows:
            request = msgspec.structs.replace(request, rows=message.rows, names=message.names)
        said = model.predict(in_model_order(request, endpoint) if request.names else request)
        names, metrics = None, message.metrics
        if wants_probabilities and said.probabilities is not None:
            names = None if said.classes is None else [str(each) for each in said.classes]
            said = Prediction(said.probabilities, said.probabilities, said.metrics, said.classes)
        if said.metrics:
            metrics = metrics + as_seldons(said.metrics)
        return Message(said.outputs, names, said, message.tags, metrics)

    return Unit(model.class_name, loaded.version, transform_input=predict)


def as_seldons(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Metrics by name as gauges; those that are no numbers are left out."""
    return [
        {"key": name, "type": "GAUGE", "value": value} for name, value in metrics.items() if type(value) in (int, float)
    ]


def _passes_on(node: Node) -> Unit:
    """A node of no type hands on what it is given; what else it should do needs somebody who does it."""
    if node.does or not node.children:
        what = "a model (modelUri)" if node.kind == MODEL else "an implementation, or a class of your own"
        raise LoadError(f"node {node.name!r} of type {node.kind or 'none'} has nothing that runs it: give it {what}")
    return Unit("PASS", "")
