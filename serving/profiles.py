"""Puts models' profiles where the drift function finds them: `profile/<endpoint_id>` in the shared state."""

import logging
import threading
from collections.abc import Callable, Mapping

from leeway.errors import Conflict
from leeway.interfaces import State

_PREFIX = "profile/"
_FIRST_PAUSE_S, _LAST_PAUSE_S = 1.0, 60.0

_log = logging.getLogger("leeway.serving")


class Profiles:
    """Publishes each profile unless one is there. A store that is away keeps no model from serving: a thread tries
    again until it is back."""

    def __init__(self, open_state: Callable[[], State], profiles: Mapping[str, bytes]):
        self._open_state, self._waiting = open_state, dict(profiles)
        self._stop = threading.Event()

    def add(self, endpoint: str, profile: bytes) -> None:
        """One more, of a model that was loaded later."""
        self._waiting[endpoint] = profile
        self.publish()

    def publish(self) -> None:
        """Now, and where that fails, later."""
        if self._waiting and not self._try():
            threading.Thread(target=self._later, name="leeway-profiles", daemon=True).start()

    def close(self) -> None:
        self._stop.set()

    def _later(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stop.wait(pause_s) and not self._try():
            pause_s = min(2 * pause_s, _LAST_PAUSE_S)

    def _try(self) -> bool:
        try:
            state = self._open_state()
            try:
                for endpoint, profile in list(self._waiting.items()):
                    self._put(state, _PREFIX + endpoint, profile)
                    del self._waiting[endpoint]
            finally:
                state.close()
        except Exception as error:
            _log.warning("the state store is away, so profiles of %s wait: %s", ", ".join(self._waiting), error)
            return False
        return True

    def _put(self, state: State, key: str, profile: bytes) -> None:
        if state.get(key) is None:
            try:
                state.commit({key: profile}, expect={key: None})
            except Conflict:
                pass  # another worker was faster
