"""One shard of a stream, consumed exactly once into the stores.

A range of messages is planned by compare-and-set on (position, no plan); its Parquet files and points are written
under its name, so that writing them again changes nothing; what is remembered, the position and the end of the plan
go last, in one commit. Whoever finds a plan finishes it, whatever its own limits. What the shared state shows
(counts, incidents) and the events come after that commit: the former by position, the latter at least once.
"""

import gc
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from leeway.clock import Clock
from leeway.errors import Conflict, StoreError
from leeway.interfaces import Archive, Message, SeriesStore, State
from leeway.record import Incident, Position
from leeway.settings import Settings

from .outgoing import Outgoing, named
from .pipeline import PREFIXES, Effects, Pipeline
from .projection import Projection, check_version
from .troubles import Trouble, Unwatched
from .unarchivable import Unarchivable, merged, refusals, tabled
from .weight import weight

_POSITION, _PLAN, _VERSION = "position", "plan", "version"
VERSION = 3  # of the values in a consumer's state; 1 kept its pending labels in memory, 2 in larger pieces

_log = logging.getLogger("leeway.consumer")


class Plan(msgspec.Struct, frozen=True):
    """The range that is being worked on: its first and its last offset, and the name of what it writes."""

    first: int
    last: int
    name: str


class Consumer:
    """Takes the messages of one shard in order. Not for several threads at once: callers hold one lock.

    What a store refuses raises its StoreError and is tried again with the next `offer` or `tick`; a Conflict says that
    another consumer has the shard, and stays. An endpoint whose monitoring raises is not watched any more until the
    next consumer of the shard begins; all else goes on.
    """

    def __init__(
        self,
        stream_name: str,
        shard: int,
        settings: Settings,
        state: State,
        shared: State,
        series: SeriesStore,
        archive: Archive,
        clock: Clock,
        emit_event: Callable[[Incident], None],
        state_name: str = "",
    ):
        self._stream_name, self._shard, self._settings = stream_name, shard, settings
        self._state, self._series, self._archive, self._clock = state, series, archive, clock
        self._shared, self._range_rows = shared, settings.range_rows
        self._names = f"{hashlib.blake2b(stream_name.encode(), digest_size=6).hexdigest()}-{shard}"
        self._projection = Projection(shared, stream_name, shard, state_name)
        self._outgoing = Outgoing(state, emit_event)
        self._buffer: list[Message] = []
        self._weight = 0
        self._opened_at = 0.0
        self._effects: Effects | None = None
        self._lost: Conflict | None = None
        self._intended: Plan | None = None  # the same one is tried again: its commit may have taken place unheard
        self._stopped: dict[str, Trouble] = {}  # those that this consumer committed
        self._check_version()
        self._position, self._plan = state.get(_POSITION), _plan_of(state)
        self._next = 0 if self._position is None else msgspec.json.decode(self._position, type=int)
        self._load()

    @property
    def position(self) -> int:
        """The first offset that is not committed."""
        return self._next

    @property
    def prefix(self) -> str:
        """What the names of its files in the archive begin with."""
        return f"{self._names}-"

    @property
    def is_full(self) -> bool:
        """Whether more waits here than ranges take: the stores do not keep up."""
        return self._weight >= 4 * self._range_rows

    def offer(self, message: Message) -> None:
        """Take one message; the one that fills a range commits it. What was taken before is skipped."""
        if message.offset < self._next:
            return
        if not self._buffer:
            self._opened_at = self._clock.monotonic()
        elif message.offset <= self._buffer[-1].offset:
            return
        self._buffer.append(message)
        self._weight += weight(message)
        if (self._plan is not None or self._weight >= self._range_rows) and self._is_complete():
            self._end_range()

    def consume(self, messages: Iterable[Message]) -> None:
        """Take messages and commit all of them."""
        for message in messages:
            self.offer(message)
        self.close()

    def tick(self) -> None:
        """End the range whose time is up; to be called a few times a second."""
        age_s = self._clock.monotonic() - self._opened_at
        if self._is_complete() or (self._buffer and self._plan is None and age_s >= self._settings.range_seconds):
            self._end_range()
        self._outgoing.send()

    def close(self) -> None:
        """Commit what waits. A plan that was found and whose messages have not all come is left to the next one."""
        while self._buffer and (self._plan is None or self._is_complete()):
            self._end_range()
        self._outgoing.send()

    def _load(self) -> None:
        """What is remembered, as the state holds it."""
        self._is_loaded = False
        stored: dict[str, bytes] = {}
        for prefix in PREFIXES:
            stored |= self._state.scan(prefix)
        self._pipeline = Pipeline(self._shard, self._settings, self._profile_of, self._state)
        self._pipeline.restore(stored, self._next, self._stopped)
        self._is_loaded = True
        self._projection.show(self._next, self._pipeline.counts, stored)

    def _reload(self) -> None:
        """After what is remembered was half changed; Conflict where another consumer went on meanwhile."""
        self._is_loaded = False
        if (self._state.get(_POSITION), _plan_of(self._state)) != (self._position, self._plan):
            raise Conflict(f"shard {self._shard} of {self._stream_name}: another consumer has it")
        self._load()

    def _check_version(self) -> None:
        """Mark a new state; StoreError for one that another version wrote, here or in the shared state."""
        check_version(self._shared)
        found, position = self._state.get(_VERSION), self._state.get(_POSITION)
        if found is None and position is None:
            self._state.commit({_VERSION: msgspec.json.encode(VERSION)}, expect={_VERSION: None})
            return
        version = 1 if found is None else msgspec.json.decode(found, type=int)
        if version != VERSION:
            anew = "deploy the function under another name, so that it reads the stream anew"
            what = "use the Leeway that wrote it" if version > VERSION else anew
            raise StoreError(
                f"the state of the consumer of {self._stream_name} has version {version}, this Leeway knows {VERSION}: "
                f"{what}"
            )

    def _profile_of(self, endpoint: str) -> bytes | None:
        return self._shared.get(f"profile/{endpoint}")

    def _is_complete(self) -> bool:
        """Whether a range can end now, its time aside."""
        if not self._buffer:
            return False
        if self._plan is not None:
            return self._buffer[-1].offset >= self._plan.last
        return self._weight >= self._range_rows

    def _end_range(self) -> None:
        if self._lost is not None:
            raise self._lost
        try:
            plan = self._plan or self._make_plan()
            self._write_all(plan)
            self._commit(plan, self._effects)
        except Conflict as conflict:
            self._lost = conflict
            raise

    def _make_plan(self) -> Plan:
        first, last = self._buffer[0].offset, self._buffer[-1].offset
        plan = self._intended = self._intended or Plan(first, last, f"{self._names}-{first:016d}")
        expect = {_POSITION: self._position, _PLAN: None}
        self._state.commit({_PLAN: msgspec.json.encode(plan)}, expect=expect)
        self._plan, self._intended = plan, None
        return plan

    def _write_all(self, plan: Plan) -> None:
        """Work the range out and write it, without the records that the archive cannot hold."""
        refused: dict[Position, str] | None = {}
        while True:
            try:
                self._effects = self._effects or self._work(plan, refused)
                with tabled():
                    self._write(plan, self._effects)
                return
            except Unarchivable as error:
                self._effects, self._is_loaded = None, False
                refused = merged(refused, refusals(self._planned(plan), self._shard))
                if refused is None:
                    raise error.__cause__ or error from None
                _log.error("shard %s of %s: %s", self._shard, self._stream_name, error, exc_info=error.__cause__)

    def _planned(self, plan: Plan) -> list[Message]:
        return [each for each in self._buffer if each.offset <= plan.last]

    def _work(self, plan: Plan, refused: Mapping[Position, str]) -> Effects:
        messages = self._planned(plan)
        stops: dict[str, Trouble] | None = None
        while True:
            if not self._is_loaded:
                self._reload()
            try:
                with _without_collection():
                    return self._pipeline.process(messages, plan.name, stops, refused)
            except Unwatched as found:
                self._is_loaded, stops = False, found.stops
                _log.error("shard %s of %s: %s", self._shard, self._stream_name, found, exc_info=found.__cause__)
            except Exception:
                self._is_loaded = False
                raise

    def _write(self, plan: Plan, effects: Effects) -> None:
        for part in effects.partitions:
            name = f"{plan.name}-{part.part}" if part.part else plan.name
            self._archive.write(part.kind, part.key, part.day, name, part.table)
        if effects.points:
            self._series.write(effects.points)

    def _commit(self, plan: Plan, effects: Effects) -> None:
        position, events = msgspec.json.encode(plan.last + 1), named(plan.name, effects.incidents)
        puts = {**effects.puts, _POSITION: position}
        puts |= {key: msgspec.json.encode(incident) for key, incident in events.items()}
        expect = {_POSITION: self._position, _PLAN: msgspec.json.encode(plan)}
        self._state.commit(puts, [*effects.deletes, _PLAN], expect)
        self._stopped = self._pipeline.troubles
        self._position, self._next, self._plan, self._effects = position, plan.last + 1, None, None
        self._buffer = [each for each in self._buffer if each.offset > plan.last]
        self._weight = sum(map(weight, self._buffer))
        self._opened_at = self._clock.monotonic()
        self._projection.show(self._next, self._pipeline.counts, effects.puts)
        self._outgoing.send(events)


def _plan_of(state: State) -> Plan | None:
    plan = state.get(_PLAN)
    return None if plan is None else msgspec.json.decode(plan, type=Plan)


@contextmanager
def _without_collection() -> Iterator[None]:
    """A batch makes many lists and no cycles; collecting in its midst would only walk all of them, again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
