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
from serving.types import Exchange, InferenceRequest, InferenceResponse

from .arm import Arm
from .executor import Executor, Run
from .message import Message

_QUEUE = 100

_log = logging.getLogger("leeway.serving")


class Shadow:
    """Behind a queue of `size` requests, in a thread of its own. What does not fit is counted in `dropped[0]`. `see`
    hears of every exchange that it had; `share` of the requests, from 0 to 1, reach it."""

    def __init__(self, arm: Arm, share: float, executor: Executor, random: Random, size: int = _QUEUE):
        self.arm, self._deployment = arm, arm.path.split("/")[-2]
        self.dropped: MutableSequence[float] = [0.0]
        self.see: Callable[[Exchange], None] = lambda exchange: None
        self._share, self._executor, self._random, self._size = share, executor, random, size
        self._waiting: list[tuple[InferenceRequest, str, str | None]] = []
        self._wake = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def offer(self, request: InferenceRequest, live: str, trace: str | None) -> None:
        """Show it a request that the arm `live` answers. It returns at once, whatever the shadow does."""
        if self._share < 1 and self._random.random() >= self._share:
            return
        with self._wake:
            if len(self._waiting) >= self._size:
                self.dropped[0] += 1.0
                return
            self._waiting.append((request, live, trace))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"leeway-shadow-{self.arm.name}", daemon=True)
                self._thread.start()
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._waiting:
                    self._wake.wait()
                request, live, trace = self._waiting.pop(0)
            UNDERWAY.now = self._deployment, request.id, trace
            try:
                self.see(self._exchange(request, live, trace))
            except Exception:
                _log.exception("what shadow %s said could not be recorded", self.arm.path)

    def _exchange(self, request: InferenceRequest, live: str, trace: str | None) -> Exchange:
        when, began = time.time(), time.perf_counter_ns()
        rows = [list(row) if type(row) is list else row for row in request.rows]  # the live ones are not its to change
        request = msgspec.structs.replace(request, rows=rows, body=dict(request.body))
        run, response, error = Run(request), None, None
        message = Message.of(request, request.tags)
        try:
            message = self._executor.run(self.arm.place, message, run)
        except ServingError as found:
            error = found
        except BaseException as found:  # whatever it is, it stays here
            error = ModelFailed(f"shadow {self.arm.name!r} failed with {type(found).__name__}")
        walk = self.arm.walk(run, message, shadow_of=live)
        if error is None:
            response = InferenceResponse(request.id, walk.endpoint, message.said, when, walk)
        return Exchange(
            id=request.id, operation=request.operation, deployment=walk.endpoint.deployment, endpoint=walk.endpoint,
            when=when, microsec=(time.perf_counter_ns() - began) // 1000, status=200, request=request,
            response=response, error=error, trace=trace, walk=walk,
        )  # fmt: skip
