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


_QUICK_US = 1_000  # below it, a thread costs more than it saves


class Pace:
    """How long a node took the last time, in microseconds; None where it may wait for something."""

    def __init__(self, is_known: bool):
        self.last_us = _QUICK_US if is_known else None


class Place(NamedTuple):
    """A node in its place: `find` gives what it does, as models are exchanged while graphs run, and the endpoint that
    it is (None for what cannot be the one who answered); the same pair as long as that stays."""

    name: str
    find: Callable[[], tuple[Unit, Endpoint | None]]
    pace: Pace
    children: tuple["Place", ...] = ()
    timeout_s: float | None = None

    def walk(self) -> Iterator["Place"]:
        """Itself and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def is_quick(self) -> bool:
        return not self.children and self.pace.last_us is not None and self.pace.last_us < _QUICK_US


class Run:
    """What is known of one request's way through a graph; those of side by side children are joined in their order."""

    def __init__(self, request: InferenceRequest):
        self.request = request
        self.nodes: list[NodeAnswer] = []
        self.routing: dict[str, int] = {}
        self.path: dict[str, str] = {}
        self.chosen: list[str] = []
        self.propensity: float | None = 1.0
        self._spoke: list[Endpoint | None] = []

    @property
    def answered(self) -> Endpoint | None:
        """The model that answered, where it alone had a say."""
        return self._spoke[0] if len(self._spoke) == 1 else None

    def join(self, other: "Run") -> None:
        self.nodes += other.nodes
        self.routing |= other.routing
        self.path |= other.path
        self._spoke += other._spoke
        self._choose(other.chosen, other.propensity)

    def speak(self, endpoint: Endpoint | None) -> None:
        self._spoke.append(endpoint)

    def choose(self, name: str, probability: float | None) -> None:
        self._choose([name], probability)

    def _choose(self, names: list[str], probability: float | None) -> None:
        self.chosen += names
        known = self.propensity is not None and probability is not None
        self.propensity = self.propensity * probability if known else None


class Executor:
    """Of every graph of a worker. `limit_s` is the time of nodes that have none of their own."""

    def __init__(self, crew: Crew, limit_s: float | None = None):
        self._crew, self._limit_s = crew, limit_s

    def run(self, place: Place, message: Message, run: Run) -> Message:
        """What comes out below a node; ServingError names the node that failed, and `run` says what went before."""
        unit, endpoint = place.find()
        run.path[place.name] = f"{unit.class_name}:{unit.version}" if unit.version else unit.class_name
        run.routing[place.name] = ALL
        if unit.transform_input is not None:
            message = self._step(place, run, endpoint, unit.transform_input, message)
        if place.children:
            message = self._below(place, unit, message, run)
        if unit.transform_output is not None:
            message = self._step(place, run, None, unit.transform_output, message)
        return message

    def _below(self, place: Place, unit: Unit, message: Message, run: Run) -> Message:
        choice = Choice(ALL) if unit.route is None else self._route(place, unit, message, run)
        if choice.branch == STOP:
            run.speak(None)
            return message
        if choice.branch == ALL:
            messages = self._all(place, message, run)
        else:
            chosen = place.children[choice.branch]
            run.choose(chosen.name, choice.probability)
            messages = [self.run(chosen, message, run)]
        return messages[0] if unit.aggregate is None else self._step(place, run, None, unit.aggregate, messages)

    def _all(self, place: Place, message: Message, run: Run) -> list[Message]:
        """Side by side, the first in this thread, and quick models behind it; all of them are waited for, and the first
        one's error is raised."""
        first, *others = place.children
        if not others:
            return [self.run(first, message, run)]
        parts = [Run(run.request) for _ in others]
        works = [partial(self.run, each, message, part) for each, part in zip(others, parts)]
        works = [work if each.is_quick else self._crew.start(work).result for each, work in zip(others, works)]
        messages, error = [], None
        for get in (partial(self.run, first, message, run), *works):
            try:
                messages.append(get())
            except ServingError as found:
                error = error or found
        for part in parts:
            run.join(part)
        if error is not None:
            raise error
        return messages

    def _route(self, place: Place, unit: Unit, message: Message, run: Run) -> Choice:
        began = time.perf_counter_ns()
        choice = self._call(place, run, began, unit.route, message)
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
        began = time.perf_counter_ns()
        run.speak(endpoint)
        said = self._call(place, run, began, step, message)
        took_us = _microsec(began)
        if place.pace.last_us is not None:
            place.pace.last_us = took_us
        run.nodes.append(NodeAnswer(place.name, said.rows, took_us))
        return said

    def _call(self, place: Place, run: Run, began: int, step: Callable, message: Any) -> Any:
        limit_s = self._limit_s if place.timeout_s is None else place.timeout_s
        try:
            if limit_s is None:
                return step(message, run.request)
            return self._crew.start(partial(step, message, run.request)).result(limit_s)
        except Late:
            error: ServingError = NodeTimedOut(f"node {place.name!r} did not answer within {limit_s:g} s")
        except ServingError as found:
            if isinstance(found, ModelFailed):
                _log.exception("node %s: request %s", place.name, run.request.id)
            error = type(found)(f"node {place.name!r}: {found}")
            error.__cause__ = found
        except (Exception, SystemExit) as found:
            _log.exception("node %s failed: request %s", place.name, run.request.id)
            error = ModelFailed(
                f"node {place.name!r} failed with {type(found).__name__}; the function's log says where"
            )
            error.__cause__ = found
        run.nodes.append(NodeAnswer(place.name, [], _microsec(began), str(error)))
        raise error


def _microsec(began: int) -> int:
    return (time.perf_counter_ns() - began) // 1000
