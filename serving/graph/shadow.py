"""A predictor that sees what the others see, and never answers: neither its answers nor its failures nor its time reach
the caller."""

import logging
import threading
import time
from collections.abc import Callable, MutableSequence
from random import Random

import msgspec

from leeway.log_context import UNDERWAY
from serving.errors import ModelFailed, ServingError
from serving.types import Exchange, InferenceRequest, InferenceResponse, Walk

from .apart import Apart, Died
from .arm import Arm
from .executor import Executor, Run
from .message import Message

_QUEUE = 100
_PATIENCE_S = 2.0

_log = logging.getLogger("leeway.serving")

# A request, the arm that answers it, and its trace
Offer = tuple[InferenceRequest, str, str | None]


class Shadow:
    """Behind a queue of `size` requests, in a process of its own, which may crash: it is begun anew. What does not fit
    is counted in `dropped[0]`, and `queued[0]` is how many wait. `see` hears of every exchange that it had; `share` of
    the requests, from 0 to 1, reach it.
    """

    def __init__(self, arm: Arm, share: float, executor: Executor, random: Random, size: int = _QUEUE):
        self.arm, self._deployment = arm, arm.path.split("/")[-2]
        self.dropped: MutableSequence[float] = [0.0]
        self.queued: MutableSequence[float] = [0.0]
        self.see: Callable[[Exchange], None] = lambda exchange: None
        self._share, self._executor, self._random, self._size = share, executor, random, size
        self._waiting: list[Offer] = []
        self._changed = threading.Condition(threading.Lock())
        self._is_closed, self._is_idle = False, True
        self._thread: threading.Thread | None = None
        self._apart = Apart(self._answer)

    def offer(self, request: InferenceRequest, live: str, trace: str | None) -> None:
        """Show it a request that the arm `live` answers. It returns at once, whatever the shadow does."""
        if self._share < 1 and self._random.random() >= self._share:
            return
        with self._changed:
            if len(self._waiting) >= self._size or self._is_closed:
                self.dropped[0] += 1.0
                return
            self._waiting.append((request, live, trace))
            self.queued[0] = float(len(self._waiting))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"leeway-shadow-{self.arm.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """What it does not answer in a moment is dropped."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_idle and not self._waiting, _PATIENCE_S)
            self._is_closed = True
            self.dropped[0] += len(self._waiting)
            self._waiting.clear()
            self.queued[0] = 0.0
            self._changed.notify_all()
        self._apart.close()

    def answer(self, request: InferenceRequest, live: str, trace: str | None) -> Exchange:
        """What it says to a request that the arm `live` answers, or why it says nothing."""
        when, began = time.time(), time.perf_counter_ns()
        try:
            said = self._apart.ask((msgspec.structs.replace(request, form=None), live))
        except Died as died:
            walk = self.arm.walk(Run(request), Message.of(request, request.tags), shadow_of=live)
            said = self._made(request, when, began, walk, ModelFailed(f"shadow {self.arm.name!r}: {died}"))
        return msgspec.structs.replace(said, request=request, trace=trace)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._is_idle = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                self._is_idle = False
                offer = self._waiting.pop(0)
                self.queued[0] = float(len(self._waiting))
            UNDERWAY.now = self._deployment, offer[0].id, offer[2]
            try:
                self.see(self.answer(*offer))
            except Exception:
                if not self._is_closed:
                    _log.exception("what shadow %s said could not be recorded", self.arm.path)

    def _answer(self, given: tuple[InferenceRequest, str]) -> Exchange:
        """In the process of its own; without what was asked, which is known."""
        request, live = given
        when, began = time.time(), time.perf_counter_ns()
        run, error = Run(request), None
        message = Message.of(request, request.tags)
        try:
            message = self._executor.run(self.arm.place, message, run)
        except ServingError as found:
            error = found
        except BaseException as found:  # whatever it is, it stays here
            error = ModelFailed(f"shadow {self.arm.name!r} failed with {type(found).__name__}")
        walk = self.arm.walk(run, message, shadow_of=live)
        if error is not None:
            return self._made(request, when, began, walk, error)
        response = InferenceResponse(request.id, walk.endpoint, message.said, when, walk)
        return self._made(request, when, began, walk, None, response)

    def _made(
        self,
        request: InferenceRequest,
        when: float,
        began: int,
        walk: Walk,
        error: ServingError | None,
        response: InferenceResponse | None = None,
    ) -> Exchange:
        return Exchange(
            id=request.id, operation=request.operation, deployment=walk.endpoint.deployment, endpoint=walk.endpoint,
            when=when, microsec=(time.perf_counter_ns() - began) // 1000, status=200, response=response,
            error=error, walk=walk,
        )  # fmt: skip
