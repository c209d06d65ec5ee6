"""Follows the desired state: a change of traffic reaches every worker within a second or two, without a redeploy."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from leeway.desired import LIVE, desired, rewards
from leeway.interfaces import State
from leeway.workers import HOST, Worker, leave, tell

from .graph.running import Running, Split

_LOOK_S, _TELL_S = 1.0, 5.0

_log = logging.getLogger("leeway.serving")


class Live:
    """Looks each second at what should run of these deployments, and says what does. While the state is away, what was
    seen last stays in force. `open_state` opens the shared state; `function_uri` is project/function.
    """

    def __init__(self, open_state: Callable[[], State], function_uri: str, worker: str, running: Sequence[Running]):
        self._open_state, self._function_uri = open_state, function_uri
        self._name = f"{HOST}-{os.getpid()}-{worker}"
        self._running = [each for each in running if each.follows]
        self._state: State | None = None
        self._told: dict[str, int] = {}
        self._told_at = float("-inf")
        self._is_away = False
        self._stop, self._lock = threading.Event(), threading.Lock()

    def start(self) -> None:
        """Look once, and from then on in a thread; nothing where there is nothing to follow."""
        if self._running:
            self.look()
            threading.Thread(target=self._run, name="leeway-live", daemon=True).start()

    def look(self) -> None:
        """Take over what should run now."""
        with self._lock:
            if not self._stop.is_set():  # else the thread would say that it lives after it has left
                self._look()

    def close(self) -> None:
        """Stop, and say so."""
        self._stop.set()
        with self._lock, suppress(Exception):
            if self._state is not None:
                leave(self._state, LIVE, self._function_uri, self._name)
                self._state.close()

    def _look(self) -> None:
        try:
            self._state = self._state or self._open_state()
            for each in self._running:
                self._follow(self._state, each)
                if each.bandits:
                    found = rewards(self._state, f"{self._function_uri}/{each.deployment.name}")
                    for bandit in each.bandits:
                        bandit.learn(found)
            self._tell(self._state)
            self._is_away = False
        except Exception as error:
            if not self._is_away:
                _log.warning("the state store is away, so the traffic stays as it is: %s", error)
            self._is_away = True

    def _follow(self, state: State, running: Running) -> None:
        name = running.deployment.name
        found = desired(state, f"{self._function_uri}/{name}")
        if found is None or found.declared != running.declared:
            split = Split(tuple(map(float, running.declared.values())))
        else:
            split = Split(tuple(float(found.weights.get(arm, 0)) for arm in running.declared), found.version)
        if split != running.split and sum(split.weights) > 0:
            running.split = split
            _log.info("deployment %s: version %d of the traffic: %s", name, split.version, split.weights)

    def _tell(self, state: State) -> None:
        versions, now = {each.deployment.name: each.split.version for each in self._running}, time.monotonic()
        if versions != self._told or now - self._told_at >= _TELL_S:
            tell(state, LIVE, self._function_uri, Worker(self._name, HOST, os.getpid(), time.time(), versions))
            self._told, self._told_at = versions, now

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            self.look()
