"""Runs a request through a predictor's graph, in Seldon's order.

transform_output(node, children(node, transform_input(node, message))): a MODEL transforms its input into its output, so
that a MODEL with children is a chain; a route chooses one child, all of them (-1), or to stop and answer with what was
asked (-2); what several children said is combined, or else the first one's is taken.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from leeway.record import NodeAnswer
from serving.errors import ModelFailed, NodeTimedOut, ServingError
from serving.types import Endpoint, InferenceRequest

from .crew import Crew, Late
from .message import Message
from .unit import ALL, STOP, Choice, Unit

_log = logging.getLogger("leeway.serving")


Work = tuple[Callable[..., Message], tuple]  # and what it is given
Found = tuple[Unit, Endpoint | None]

_ALL = Choice(ALL)
_QUICK_US = 1_000  # below it, a thread costs more than it saves


class Pace:
    """How long a node took the last time, in microseconds; None where it may wait for something."""

    def __init__(self, is_known: bool):
        self.last_us = _QUICK_US if is_known else None


class Place(NamedTuple):
    """A node in its place: `find` gives what it does, as models are exchanged while graphs run, and the endpoint that
    it is (None for what cannot be the one who answered); the same pair as long as that stays."""

    name: str
    find: Callable[[], Found]
    pace: Pace
    children: tuple["Place", ...] = ()
    timeout_s: float | None = None
    is_flat: bool = False  # whether there is nothing below its children, and none has a time limit

    def walk(self) -> Iterator["Place"]:
        """Itself and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def is_quick(self) -> bool:
        last_us = self.pace.last_us
        return last_us is not None and last_us < _QUICK_US and not self.children


class Run:
    """What is known of one request's way through a graph; those of side by side children are joined in their order.
    `chosen` are the choices that were made before, with the probability `propensity`, and `routing` says the same; both
    grow."""

    __slots__ = ("chosen", "nodes", "path", "propensity", "request", "routing", "spoke")

    def __init__(
        self,
        request: InferenceRequest,
        chosen: list[str] | None = None,
        propensity: float | None = 1.0,
        routing: dict[str, int] | None = None,
    ):
        self.request, self.propensity = request, propensity
        self.chosen: list[str] = [] if chosen is None else chosen
        self.routing: dict[str, int] = {} if routing is None else routing
        self.path: dict[str, str] = {}
        self.nodes: list[NodeAnswer] = []
        self.spoke: list[Endpoint | None] = []

    def join(self, other: "Run") -> None:
        self.nodes += other.nodes
        self.routing |= other.routing
        self.path |= other.path
        self.spoke += other.spoke
        self.chosen += other.chosen
        self._multiply(other.propensity)

    def choose(self, name: str, probability: float | None) -> None:
        self.chosen.append(name)
        self._multiply(probability)

    def _multiply(self, probability: float | None) -> None:
        known = self.propensity is not None and probability is not None
        self.propensity = self.propensity * probability if known else None


class Executor:
    """Of every graph of a worker. `is_watched` where somebody wants to see `run` called for each node."""

    def __init__(self, crew: Crew):
        self._crew, self.is_watched = crew, False

    def run(self, place: Place, message: Message, run: Run) -> Message:
        """What comes out below a node; ServingError names the node that failed, and `run` says what went before."""
        unit, endpoint = place.find()
        name = place.name
        run.path[name] = unit.label
        run.routing[name] = ALL
        if unit.transform_input is not None:
            message = self._step(place, run, endpoint, unit.transform_input, message)
        if place.children:
            message = self._below(place, unit, message, run)
        if unit.transform_output is not None:
            message = self._step(place, run, None, unit.transform_output, message)
        return message

    def _below(self, place: Place, unit: Unit, message: Message, run: Run) -> Message:
        choice = _ALL if unit.route is None else self._route(place, unit, message, run)
        if choice.branch == STOP:
            run.spoke.append(None)
            return message
        if choice.branch == ALL:
            messages = self._all(place, message, run)
        else:
            chosen = place.children[choice.branch]
            run.choose(chosen.name, choice.probability)
            messages = [self.run(chosen, message, run)]
        return messages[0] if unit.aggregate is None else self._step(place, run, None, unit.aggregate, messages)

    def _all(self, place: Place, message: Message, run: Run) -> list[Message]:
        """Side by side, the first and quick ones in this thread; all of them are waited for, and the first one's error
        is raised."""
        children = place.children
        if all([child.is_quick for child in children[1:]]):
            found = [child.find() for child in children]
            if place.is_flat and not self.is_watched and all([unit.only_answers for unit, _ in found]):
                return self._in_a_row(children, found, message, run)
            return _waited([(self.run, (child, message, run)) for child in children])
        works: list[Work] = []
        apart: list[Run] = []
        for i, child in enumerate(place.children):
            if i == 0 or child.is_quick:
                works.append((self.run, (child, message, run if not apart else _part(run, apart))))
            else:
                works.append((self._crew.start(partial(self.run, child, message, _part(run, apart))).result, ()))
        try:
            return _waited(works)
        finally:
            for part in apart:
                run.join(part)

    def _in_a_row(self, places: Sequence[Place], found: Sequence[Found], message: Message, run: Run) -> list[Message]:
        """As `run` does of each, which costs a node's call twice what it takes here."""
        request, now = run.request, time.perf_counter_ns
        messages, error = [], None
        for place, (unit, endpoint) in zip(places, found):
            run.path[place.name], run.routing[place.name] = unit.label, ALL
            run.spoke.append(endpoint)
            began = now()
            try:
                said = unit.transform_input(message, request)
            except (Exception, SystemExit) as raised:
                failure = self.failed(place, run, began, raised)
                failure.__cause__ = raised
                error = error or failure
                continue
            took_us = (now() - began) // 1000
            if place.pace.last_us is not None:
                place.pace.last_us = took_us
            run.nodes.append(NodeAnswer(place.name, said.rows, took_us))
            messages.append(said)
        if error is not None:
            raise error
        return messages

    def _route(self, place: Place, unit: Unit, message: Message, run: Run) -> Choice:
        began = time.perf_counter_ns()
        try:
            if place.timeout_s is None:
                choice = unit.route(message, run.request)
            else:
                choice = self._in_time(place, place.timeout_s, unit.route, message, run.request)
        except (Exception, SystemExit) as found:
            raise self.failed(place, run, began, found) from found
        branch = choice.branch
        if type(branch) is not int or not STOP <= branch < len(place.children):
            error = ModelFailed(
                f"node {place.name!r} routed to {branch!r:.40}; it has {len(place.children)} children, which count "
                f"from 0, {ALL} means all of them and {STOP} none"
            )
            run.nodes.append(NodeAnswer(place.name, [], _microsec(began), str(error)))
            raise error
        run.routing[place.name] = branch
        run.nodes.append(NodeAnswer(place.name, [branch], _microsec(began)))
        return choice

    def _step(
        self, place: Place, run: Run, endpoint: Endpoint | None, step: Callable, message: Message | Sequence[Message]
    ) -> Message:
        began, pace = time.perf_counter_ns(), place.pace
        run.spoke.append(endpoint)
        try:
            if place.timeout_s is None:
                said = step(message, run.request)
            else:
                said = self._in_time(place, place.timeout_s, step, message, run.request)
        except (Exception, SystemExit) as found:
            raise self.failed(place, run, began, found) from found
        took_us = (time.perf_counter_ns() - began) // 1000
        if pace.last_us is not None:
            pace.last_us = took_us
        run.nodes.append(NodeAnswer(place.name, said.rows, took_us))
        return said

    def _in_time(self, place: Place, limit_s: float, step: Callable, message: Any, request: InferenceRequest) -> Any:
        try:
            return self._crew.start(partial(step, message, request)).result(limit_s)
        except Late:
            raise NodeTimedOut(f"node {place.name!r} did not answer within {limit_s:g} s") from None

    def failed(self, place: Place, run: Run, began: int, found: BaseException) -> ServingError:
        """What a node raised, with its name."""
        if isinstance(found, NodeTimedOut):
            error: ServingError = found
        elif isinstance(found, ServingError):
            if isinstance(found, ModelFailed):
                _log.error("node %s: request %s", place.name, run.request.id, exc_info=found)
            error = type(found)(f"node {place.name!r}: {found}")
        else:
            _log.error("node %s failed: request %s", place.name, run.request.id, exc_info=found)
            error = ModelFailed(
                f"node {place.name!r} failed with {type(found).__name__}; the function's log says where"
            )
        run.nodes.append(NodeAnswer(place.name, [], _microsec(began), str(error)))
        return error


def _waited(works: Sequence[Work]) -> list[Message]:
    """What all of them say; the first one's error where there is one, when all are done."""
    messages, error = [], None
    for work, given in works:
        try:
            messages.append(work(*given))
        except ServingError as found:
            error = error or found
    if error is not None:
        raise error
    return messages


def _part(run: Run, apart: list[Run]) -> Run:
    """One more of what is done beside the others."""
    apart.append(Run(run.request))
    return apart[-1]


def _microsec(began: int) -> int:
    return (time.perf_counter_ns() - began) // 1000
