"""Endpoints whose monitoring raises: each is taken out by itself, so that it holds nobody else up.

What a range does is worked out in passes. The first takes hundreds of records at once. Where something is raised for
an endpoint, what is remembered is loaded again and the range is gone through message by message, which finds the first
one that cannot be taken, and once more, with that endpoint's watch stopped right before it. So what every watch has
seen does not depend on where ranges and batches end; and what was raised once and not again stops nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from traceback import extract_tb
from typing import Protocol

import msgspec

from leeway.errors import LeewayError, StoreError
from leeway.record import Position, Verdict

_LONGEST = 500


class Trouble(msgspec.Struct, frozen=True):
    """Why an endpoint is not watched, and from which position on."""

    reason: str
    since: Position


class Unwatched(LeewayError):
    """Something was raised while endpoints were watched. `stops` holds those whose first bad message was found."""

    def __init__(self, reason: str, stops: Mapping[str, Trouble]):
        super().__init__(reason)
        self.stops = dict(stops)


class Stoppable(Protocol):
    """A watch of one endpoint, as far as it is stopped."""

    endpoint: str

    def stop(self, trouble: Trouble) -> None: ...

    def probe(self) -> None: ...


class Containment:
    """One pass over a range: the first without `stops`; a later one, message by message, with those known so far."""

    def __init__(self, stops: Mapping[str, Trouble] | None):
        self.is_first, self._stops = stops is None, dict(stops or {})
        self._found: dict[str, Trouble] = {}

    def begin(self, at: Position, watches: Mapping[str, Stoppable]) -> None:
        """What comes now is of the message at a position: stop the watches that cannot take it."""
        self._at = at
        for endpoint in self._stops.keys() & watches.keys():
            self._is_stopped(watches[endpoint])

    def let(self, watch: Stoppable, act: Callable[[], Sequence[Verdict]]) -> Sequence[Verdict]:
        """The verdicts of what a watch does; none where it could not do it. What a store refuses passes through."""
        is_stopped = self._is_stopped(watch)
        try:
            found = act()
            for verdict in found:
                msgspec.json.encode(verdict)
            if not self.is_first:
                watch.probe()
        except (StoreError, MemoryError):
            raise
        except Exception as error:
            if self.is_first:
                raise Unwatched(f"endpoint {watch.endpoint}: {reason_of(error)}", {}) from error
            if not is_stopped:
                self._found.setdefault(watch.endpoint, Trouble(reason_of(error), self._at))
            return ()
        return found

    def end(self) -> None:
        """Unwatched where another pass is needed."""
        if self._found:
            told = "; ".join(f"endpoint {name} at {each.since}: {each.reason}" for name, each in self._found.items())
            raise Unwatched(told, self._stops | self._found)

    def _is_stopped(self, watch: Stoppable) -> bool:
        trouble = self._stops.get(watch.endpoint)
        if trouble is None or trouble.since > self._at:
            return False
        watch.stop(trouble)
        return True


def reason_of(error: BaseException) -> str:
    """What was raised, and where: `ValueError: no such bin (windows.py:123 in _score)`."""
    frames = extract_tb(error.__traceback__)
    where = f" ({PurePath(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {error}"[:_LONGEST] + where
