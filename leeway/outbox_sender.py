"""From the file of an outbox to a stream."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from .clock import Clock
from .errors import TooLarge
from .interfaces import Stream
from .outbox_file import OutboxFile, Slot
from .outbox_layout import Frame
from .record import OUTBOX_END, SCHEMA, TOO_LARGE, Origin, Record, Request, decode, encode

_CHUNK = 512 << 10
_NAME = 500  # characters of an id that are kept where the rest is not
_log = logging.getLogger("leeway.forwarder")


class OutboxSender:
    """Sends records in order, at least once: the position moves when the stream has taken them. With `batch` over 1,
    up to that many records of a key become one message, a JSON array. In the place of a record that is larger than the
    stream takes goes one that says so, so that nothing waits behind it. Other errors of the stream pass through.
    """

    def __init__(self, file: OutboxFile, clock: Clock, batch: int = 1):
        self._file, self._clock, self._batch = file, clock, batch
        self._ends: list[tuple[str, bytes]] | None = None

    @property
    def is_done(self) -> bool:
        """Whether every record was taken."""
        return self._file.sent >= self._file.end

    def send(self, stream: Stream) -> int:
        """Send a chunk; how many records are done with (0: there are none, or the stream takes none now)."""
        frames = self._file.read(_CHUNK)
        if not frames:
            return 0
        messages, heads = self._messages(frames)
        try:
            taken = stream.append(messages)
        except TooLarge:
            return self._send_first(stream, frames[0])
        done = frames[: heads[taken] if taken < len(heads) else len(frames)]
        if done:
            self._file.confirm(done)
        return len(done)

    def end(self, stream: Stream) -> bool:
        """Send one `outbox_end` per key: its last number and what was dropped. False: not all of them yet."""
        if self._ends is None:
            self._ends = [self._end(slot) for slot in self._file.slots if slot.last or slot.dropped]
        taken = stream.append(self._ends) if self._ends else 0
        del self._ends[:taken]
        return not self._ends

    def _send_first(self, stream: Stream, frame: Frame) -> int:
        """By itself, as it may only have been too large together with others."""
        key = self._file.slots[frame.slot].key
        try:
            taken = stream.append([(key, frame.payload)])
        except TooLarge as error:
            stub = _stub(frame.payload, str(error))
            _log.error("record %s of %s is not kept: %s", stub.id, key, error)
            taken = stream.append([(key, encode(stub))])
        if taken:
            self._file.confirm([frame])
        return taken

    def _messages(self, frames: Sequence[Frame]) -> tuple[list[tuple[str, bytes]], list[int]]:
        """Messages by their first records, and of each the index of its first record."""
        keys = [slot.key for slot in self._file.slots]
        if self._batch == 1:
            return [(keys[frame.slot], frame.payload) for frame in frames], list(range(len(frames)))
        groups: list[list[int]] = []
        open_groups: dict[int, list[int]] = {}
        for i, frame in enumerate(frames):
            group = open_groups.get(frame.slot)
            if group is None or len(group) == self._batch:
                group = open_groups[frame.slot] = []
                groups.append(group)
            group.append(i)
        packed = [b"[" + b",".join([frames[i].payload for i in group]) + b"]" for group in groups]
        return [(keys[frames[g[0]].slot], data) for g, data in zip(groups, packed)], [g[0] for g in groups]

    def _end(self, slot: Slot) -> tuple[str, bytes]:
        project, function, deployment = [*slot.key.split("/", 2), "", ""][:3]
        when = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="microseconds")
        record = Record(
            schema=SCHEMA, id=f"{self._file.id}/{slot.key}", op=OUTBOX_END, when=when, project=project,
            function_uri=f"{project}/{function}", deployment=deployment,
            origin=Origin(self._file.id, slot.last, slot.dropped),
        )  # fmt: skip
        return slot.key, encode(record)


def _stub(payload: bytes, reason: str) -> Record:
    """What is left of a record without all that can be large."""
    record = decode(payload)
    return Record(
        schema=SCHEMA, id=record.id[:_NAME], op=TOO_LARGE, when=record.when, project=record.project,
        function_uri=record.function_uri, deployment=record.deployment, origin=record.origin,
        endpoint_id=record.endpoint_id, request=Request(record.request.id[:_NAME]), error=reason,
    )  # fmt: skip
