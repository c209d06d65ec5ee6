"""Where a worker's records go: its outbox, made as soon as there is room for one, and what forwards it."""

import threading
from collections import Counter
from collections.abc import Callable

from leeway.clock import Clock
from leeway.errors import StoreError
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.record import Origin

NO_OUTBOX = "no_outbox"
_RETRY_S = 1.0


class Outlet:
    """`open` makes the outbox and starts its forwarder; StoreError where the disk is full or read-only. Then records
    are dropped as "no_outbox", and it is tried again with a record that comes a second later; what was counted until
    then is kept in the outbox that comes. Every thread may append.
    """

    def __init__(self, open: Callable[[], tuple[Outbox, Forwarder]], clock: Clock, report: Callable[[str], None]):
        self._open, self._clock, self._report = open, clock, report
        self._lock = threading.Lock()
        self._here: tuple[Outbox, Forwarder] | None = None
        self._dropped: dict[str, Counter[str]] = {}
        self._refusal, self._retry_at = "", 0.0
        self._is_closed = False
        self._try()

    @property
    def error(self) -> str:
        """Why the stream or the disk takes nothing, "" while they do."""
        return self._refusal if self._here is None else self._here[1].error

    def append(self, key: str, make: Callable[[Origin], bytes], ack_s: float | None = None) -> bool:
        """Keep what `make` returns, and wait up to `ack_s` for the stream. False: dropped and counted. Never raises."""
        here = self._here or self._again(key)
        if here is None:
            return False
        outbox, forwarder = here
        kept = outbox.append(key, make)
        if kept and ack_s is not None:
            forwarder.wait(outbox.file.end, ack_s)
        return kept

    def waiting(self) -> tuple[int, int]:
        """(records, bytes) that were not forwarded yet."""
        return (0, 0) if self._here is None else self._here[0].waiting()

    def dropped(self) -> dict[str, dict[str, int]]:
        """How many records were dropped, by key and reason."""
        with self._lock:
            if self._here is None:
                return {key: dict(counts) for key, counts in self._dropped.items()}
        return self._here[0].dropped()

    def close(self, timeout_s: float) -> bool:
        """Send the rest; False: some of it stays on disk, for another worker to send."""
        with self._lock:
            self._is_closed = True
        return self._here is None or self._here[1].close(timeout_s)

    def _again(self, key: str) -> tuple[Outbox, Forwarder] | None:
        with self._lock:
            if self._here is None and not self._is_closed and self._clock.monotonic() >= self._retry_at:
                self._try()
            if self._here is None:
                self._dropped.setdefault(key, Counter())[NO_OUTBOX] += 1
            return self._here

    def _try(self) -> None:
        try:
            outbox, forwarder = self._open()
        except StoreError as error:
            if not self._refusal:
                self._report(f"nothing is recorded for now: {error}")
            self._refusal, self._retry_at = str(error), self._clock.monotonic() + _RETRY_S
            return
        for key, counts in self._dropped.items():
            outbox.drop(key, NO_OUTBOX, counts[NO_OUTBOX])
        self._here = outbox, forwarder
