"""Threads in which nodes of graphs work side by side, and which are left behind where a node does not come back."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any

from leeway.log_context import UNDERWAY
from leeway.with_room import with_room
from serving.errors import TooBusy


class Late(Exception):
    """Work is not done in time."""


class Task:
    """Work that a thread of the crew does for the request, and within the span, of whoever wants it done."""

    def __init__(self, work: Callable[[], Any]):
        self._work, self._result, self._error = partial(copy_context().run, work), None, None
        self._underway = UNDERWAY.now
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        UNDERWAY.now = self._underway
        try:
            self._result = self._work()
        except BaseException as error:  # it is the caller's to judge
            self._error = error
        self._done.release()

    def result(self, timeout_s: float | None = None) -> Any:
        """What the work returned, or raised; Late where it has not in time. To be called once."""
        if not self._done.acquire(timeout=-1 if timeout_s is None else timeout_s):
            raise Late
        if self._error is not None:
            raise self._error
        return self._result


class Crew:
    """Daemon threads, made when they are needed, `size` at most; they wait for the next work when theirs is done."""

    def __init__(self, size: int = 64):
        self._size, self._idle, self._count = size, 0, 0
        self._lock, self._queue = threading.Lock(), SimpleQueue()

    def start(self, work: Callable[[], Any]) -> Task:
        """TooBusy where every thread has work that does not end."""
        task = Task(work)
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._queue.put(task)
                return task
            if self._count == self._size:
                raise TooBusy(f"{self._size} nodes of graphs are still at work; try again when they have answered")
            self._count += 1
        threading.Thread(target=with_room, args=(self._work, task), name="leeway-graph", daemon=True).start()
        return task

    def _work(self, task: Task) -> None:
        while True:
            task.run()
            with self._lock:
                self._idle += 1
            task = self._queue.get()
