"""The consumers of one worker: made as their shards show up, ended by a timer where no message does it."""

import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread
from typing import Self

import msgspec

from leeway.backends import connect
from leeway.clock import Clock, SystemClock
from leeway.errors import Conflict, StoreError
from leeway.interfaces import Message, State, Stream
from leeway.log_lines import start_logging
from leeway.record import Incident
from leeway.settings import Settings
from leeway.tracing import spans_of

from .consumer import Consumer
from .dead_letter_topic import DeadLetterTopic
from .erase import EraseList
from .incidents import OPEN
from .keeper import Keeper
from .notify.notifier import Notifier
from .traced_consumer import TracedConsumer

TICK_S = 0.2

_log = logging.getLogger("leeway.incidents")


class Shards:
    """Consumers of one stream for the function of the settings. Events go to the stream `<stream>-events`; where it is
    Kafka's, dead letters go to `<stream>-dead` too.

    `committed` hears, from the caller's thread or the timer's, of each shard's first offset that is not committed when
    it moves. A store that refuses is tried again with the next tick; `report` hears of it. A shard that another
    consumer took stays stopped: what it is offered raises Conflict. `taken` hears of it, for whoever had it must begin
    anew where the state stands, should the other one leave.
    """

    def __init__(
        self,
        settings: Settings,
        stream: str,
        report: Callable[[str], None],
        committed: Callable[[int, int], None],
        clock: Clock | None = None,
        taken: Callable[[], None] = lambda: None,
    ):
        self._settings, self._stream, self._taken = settings, stream, taken
        self._report, self._committed, self._clock = report, committed, clock or SystemClock()
        self._shared = connect.state(settings, "shared")
        self._series = connect.series(settings)
        self._archive = connect.archive(settings)
        self._events: Stream | None = None
        self._dead: Stream | None = None
        self._dead_letters: dict[int, DeadLetterTopic] = {}
        self._states: list[State] = []
        self._consumers: dict[int, Consumer] = {}
        self._keeper = Keeper(settings, self._archive, self._series, self._prefixes, report, EraseList(self._shared))
        self._spans = spans_of(settings, settings.function_name)
        self._notifier = Notifier(settings, report, self._clock)
        self._lock = Lock()
        self._closing = Event()
        self._timer = Thread(target=self._run, name="leeway-ranges", daemon=True)

    def start(self) -> Self:
        """Start the timer, what keeps the stores small, what tells people, and the log; itself."""
        start_logging(self._settings, function=self._settings.function_name)
        self._timer.start()
        self._keeper.start()
        self._notifier.start()
        return self

    def offer(self, message: Message) -> bool:
        """Hand a message to its shard's consumer. False: a store is away, so offer it again."""
        with self._lock:
            try:
                consumer = self._consumers.get(message.shard) or self._consume(message.shard)
            except StoreError as error:
                self._report(f"shard {message.shard} of {self._stream}: {error}")
                return False
            try:
                self._act(message.shard, consumer, lambda: consumer.offer(message))
            except Conflict:
                self._taken()
                raise
            return True

    def is_full(self, shard: int) -> bool:
        """Whether the stores do not keep up with a shard: offer it nothing for a while."""
        return shard in self._consumers and self._consumers[shard].is_full

    def tick(self) -> None:
        """End the ranges whose time is up."""
        self._each(Consumer.tick)

    def release(self) -> None:
        """Commit what waits and let go of every shard: the broker deals them out anew, and who gets one begins where
        its state stands. What is offered next is read from there."""
        with suppress(Conflict):
            self._each(Consumer.close)
        with self._lock:
            states, self._states, self._consumers, self._dead_letters = self._states, [], {}, {}
        for state in states:
            state.close()

    def close(self) -> None:
        """Stop the timer, commit what waits, release the stores. Closing again does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._timer.ident is not None:
            self._timer.join()
        self._keeper.close()
        self._notifier.close()
        with suppress(Conflict):
            self._each(Consumer.close)
        streams = [each for each in (self._events, self._dead) if each is not None]
        for store in (*self._states, self._shared, self._series, *streams):
            store.close()
        if self._spans is not None:
            self._spans.close()

    def _prefixes(self) -> list[str]:
        return [consumer.prefix for consumer in list(self._consumers.values())]

    def _run(self) -> None:
        while not self._closing.wait(TICK_S):
            try:
                self.tick()
            except Conflict:  # reported
                self._taken()

    def _each(self, act: Callable[[Consumer], None]) -> None:
        """Let every consumer act; then raise the Conflict of one that lost its shard."""
        conflict: Conflict | None = None
        for shard, consumer in list(self._consumers.items()):
            with self._lock:
                try:
                    self._act(shard, consumer, partial(act, consumer))
                except Conflict as found:
                    conflict = found
        if conflict is not None:
            raise conflict

    def _act(self, shard: int, consumer: Consumer, act: Callable[[], None]) -> None:
        before = consumer.position
        try:
            act()
            if shard in self._dead_letters and consumer.position > before:
                self._dead_letters[shard].send()
        except StoreError as error:  # what was taken is kept, and tried again
            self._report(f"shard {shard} of {self._stream}: {error}")
            if isinstance(error, Conflict):
                raise
        finally:
            if consumer.position > before:
                self._committed(shard, consumer.position)

    def _consume(self, shard: int) -> Consumer:
        if self._events is None:
            self._events = connect.stream(f"{self._stream}-events", self._settings)
            if connect.address(self._stream, self._settings).startswith("kafka://"):
                self._dead = connect.stream(f"{self._stream}-dead", self._settings)
        name = f"consumer/{self._settings.function_name}/{self._stream}/{shard}"
        state = connect.state(self._settings, name)
        self._states.append(state)
        make = Consumer if self._spans is None else partial(TracedConsumer, self._spans)
        consumer = self._consumers[shard] = make(
            self._stream, shard, self._settings, state, self._shared, self._series, self._archive, self._clock,
            self._emit, name,
        )  # fmt: skip
        if self._dead is not None:
            self._dead_letters[shard] = DeadLetterTopic(state, self._dead)
        return consumer

    def _emit(self, incident: Incident) -> None:
        assert self._events is not None  # as whoever emits has taken a message
        if self._events.append([(incident.endpoint, msgspec.json.encode(incident))]) != 1:
            raise StoreError(f"stream {self._stream}-events takes no event now; it will be sent again")
        about = {
            "deployment": incident.endpoint.split("/")[2] if incident.endpoint.count("/") == 5 else "",
            "endpoint": incident.endpoint, "detector": incident.detector, "features": ", ".join(incident.features),
            "incident": incident.id,
        }  # fmt: skip
        level = logging.WARNING if incident.state == OPEN else logging.INFO
        _log.log(level, "%s incident: %s", incident.detector.replace("_", " "), incident.state, extra={"with": about})


def begin_anew() -> None:
    """End this process, as at a redeploy; whoever watches it starts another one."""
    signal.raise_signal(signal.SIGTERM)


def stream_of(topic: str, named: str) -> str:
    """The stream of a trigger's topic. Nuclio's Kafka trigger tells it without its brokers, and with dots for slashes:
    what INFERENCE_STREAM names is meant where it ends so.

    >>> stream_of("users.elec", "kafka://broker:9092/users/elec")
    'kafka://broker:9092/users/elec'
    """
    return named if named.replace("/", ".").endswith(topic.replace("/", ".")) else topic
