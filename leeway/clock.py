"""Time as a part that is handed in, so that a test can advance it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in seconds since the epoch (UTC), and a monotonic time in seconds."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class ManualClock:
    """A clock that stands until it is advanced."""

    def __init__(self, now: float = 1_700_000_000.0):
        self._now = now

    def now(self) -> float:
        return self._now

    monotonic = now

    def advance(self, seconds: float) -> None:
        self._now += seconds
