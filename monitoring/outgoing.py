"""Events on their way out: committed with the range that made them, sent after it, at least once."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from leeway.interfaces import State
from leeway.record import Incident

from .incidents import read

_PREFIX = "event/"


class Outgoing:
    """Incidents that wait to be emitted; those that an earlier consumer left are sent first."""

    def __init__(self, state: State, emit: Callable[[Incident], None]):
        self._state, self._emit = state, emit
        self._waiting = {key: read(value) for key, value in state.scan(_PREFIX).items()}

    def send(self, committed: Mapping[str, Incident] = MappingProxyType({})) -> None:
        """Emit what waits and what was just committed, in order; what cannot be emitted now raises, and waits on."""
        self._waiting |= committed
        if not self._waiting:
            return
        sent: list[str] = []
        try:
            for key, incident in self._waiting.items():
                self._emit(incident)
                sent.append(key)
        finally:
            self._state.commit(deletes=sent)
            for key in sent:
                del self._waiting[key]


def named(range_name: str, incidents: Sequence[Incident]) -> dict[str, Incident]:
    """The incidents of a range by the keys under which they wait."""
    return {f"{_PREFIX}{range_name}/{i:06d}": incident for i, incident in enumerate(incidents)}
