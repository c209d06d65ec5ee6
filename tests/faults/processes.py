"""The processes of the fault tests: servers that answer and forward, workers that consume; each can die anywhere."""

from pathlib import Path
from typing import Any

from leeway.backends.sqlite_stream import SqliteStream
from leeway.clock import Clock
from leeway.errors import Conflict
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.record import Incident, Record
from leeway.settings import Settings
from monitoring.consumer import Consumer
from tests.faults.faults import Faults, FaultyFiles, FaultyStream, faulty_archive, faulty_series, faulty_state

NAME = "consumer/test/s/0"


class Server:
    """A process with an outbox and its forwarder, whose thread the tests are."""

    def __init__(self, home: Path, settings: Settings, clock: Clock, faults: Faults, batch: int):
        self.faults, self.files = faults, FaultyFiles(faults, "outbox")
        self.outbox: Outbox | None = None
        self._home, self._settings, self._clock, self._batch = home, settings, clock, batch
        self._stream: FaultyStream | None = None

    def start(self) -> None:
        self.outbox = Outbox.create(self._home / "outbox", self._settings, self._clock, self.files)
        self.forwarder = Forwarder(self.outbox, self._connect, self._clock, self._batch, self.files)

    def bury(self) -> None:
        self.files.release()
        if self._stream is not None:
            self._stream.close()

    def _connect(self) -> FaultyStream:
        self._stream = FaultyStream(self._home / "stream", self._clock, self.faults)
        return self._stream


class Worker:
    """A process with a consumer; `next` is what its trigger reads next. A StoreError it survives, as Shards does."""

    def __init__(self, home: Path, settings: Settings, clock: Clock, faults: Faults):
        self.faults = faults
        self.is_stopped = False
        self.events: list[Incident] = []
        self._settings, self._clock = settings, clock
        self._stream = FaultyStream(home / "stream", clock, faults)
        self._archive = faulty_archive(home / "archive", faults)
        self._series = faulty_series(home / "series.db", faults)
        self._shared = faulty_state(home / "state" / "shared.db", faults, "shared")
        self._state = faulty_state(home / "state" / f"{NAME}.db", faults, "state")

    def start(self) -> None:
        self.consumer = Consumer(
            "s", 0, self._settings, self._state, self._shared, self._series, self._archive, self._clock,
            self.events.append, NAME,
        )  # fmt: skip
        self.next = self.consumer.position

    def deliver(self, count: int) -> None:
        for message in self._stream.read(0, self.next, count):
            self.next = message.offset + 1
            self._act(self.consumer.offer, message)

    def tick(self) -> None:
        self._act(self.consumer.tick)

    def close(self) -> None:
        self._act(self.consumer.close)

    def bury(self) -> None:
        for store in (self._stream, self._series, self._shared, self._state):
            store.close()
        self._archive._files.release()

    def _act(self, act: Any, *arguments: Any) -> None:
        try:
            act(*arguments)
        except Conflict:
            self.is_stopped = True
            raise


def messages(home: Path, clock: Clock) -> list[Any]:
    """All that the stream holds."""
    stream = SqliteStream(home / "stream", 1, clock)
    try:
        return stream.read(0, 0, 1 << 40)
    finally:
        stream.close()


def token_of(record: Record) -> str:
    """What tells records of the tests apart, whoever numbered them."""
    return record.trace or ""
