"""Tells the sinks what is new, beside the consumers of a worker."""

from collections.abc import Callable
from threading import Event, Thread

from leeway.clock import Clock, SystemClock
from leeway.errors import StoreError
from leeway.settings import Settings

from ..dashboard_link import dashboard_link
from ..queries import Queries
from .ledger import Ledger
from .notice import of_incidents
from .sinks import Sink, SinkError, sinks_of
from .stuck import Stuck

_FIRST_S, _LONGEST_S = 5.0, 600.0


class Notifier:
    """A thread that looks every `notify.period_s`, and sends what one look finds as one message to each sink.

    A sink that refuses is tried again after 5 s, then after twice as long each time, up to ten minutes; what is new
    meanwhile goes with it. It holds up neither the consumers nor other sinks for more than one try. Of several workers
    one sends.
    """

    def __init__(self, settings: Settings, report: Callable[[str], None], clock: Clock | None = None):
        self._settings, self._report, self._clock = settings, report, clock or SystemClock()
        self._sinks = sinks_of(settings)
        self._stuck = Stuck(settings, self._clock)
        self._ready_at: dict[str, float] = {}
        self._wait_s: dict[str, float] = {}
        self._queries: Queries | None = None
        self._ledger: Ledger | None = None
        self._closing = Event()
        self._thread = Thread(target=self._run, name="leeway-notifier", daemon=True)

    def start(self) -> None:
        """Where there is a sink."""
        if self._sinks:
            self._thread.start()

    def close(self) -> None:
        """Stop after what is being sent."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        for store in (self._queries, self._ledger):
            if store is not None:
                store.close()

    def look(self) -> None:
        """Send what is new, once."""
        try:
            self._queries = self._queries or Queries(self._settings)
            self._ledger = self._ledger or Ledger(self._settings)
            if self._ledger.is_mine(self._clock.now()):
                self._tell(self._queries, self._ledger)
        except StoreError as error:
            self._report(f"notifications: {error}")

    def _tell(self, queries: Queries, ledger: Ledger) -> None:
        notices = [*of_incidents(queries.incidents()), *self._stuck.notices(queries)]
        for sink in self._sinks:
            if self._clock.monotonic() < self._ready_at.get(sink.name, 0.0):
                continue
            if untold := ledger.untold(sink.name, notices):
                try:
                    sink.send(untold, dashboard_link(self._settings))
                except SinkError as error:
                    self._back_off(sink, error)
                else:
                    self._wait_s.pop(sink.name, None)
                    ledger.told(sink.name, untold)

    def _back_off(self, sink: Sink, error: SinkError) -> None:
        wait_s = self._wait_s.get(sink.name, _FIRST_S)
        self._ready_at[sink.name] = self._clock.monotonic() + wait_s
        self._wait_s[sink.name] = min(2 * wait_s, _LONGEST_S)
        self._report(str(error))

    def _run(self) -> None:
        while not self._closing.wait(self._settings.notify_period_s):
            self.look()
