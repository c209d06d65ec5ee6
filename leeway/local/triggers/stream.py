"""The stream trigger: one event per message of a stream, embedded or a broker's.

Delivery: at least once. It resumes at the offset that its group (the function's name) committed; where it never did,
at the oldest message, with seekTo (initialOffset on Kafka) `latest` at the newest, or with a time,
2026-11-24T12:00:00Z, at the first of then. With explicitAckMode explicitOnly only acknowledgements count; else a
message counts when the handler returned without raising. Commits are written when the stream is read to its
end, every quarter of a second, and at the end. Shards are dealt out to the function's workers.
"""

import asyncio
import socket
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import nuclio_sdk

from leeway.backends import connect
from leeway.errors import PlatformError, StoreError
from leeway.interfaces import Message, Stream
from leeway.settings import Settings

from ..function_spec import FunctionSpec, Trigger
from ..handler import Handler
from ..launch import Launch
from .base import BaseTrigger
from .start_offset import start_offset

_AT_ONCE = 256
_SHORTEST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.02
_COMMIT_S = 0.25
_YIELD_S = 0.01
_STORE_AWAY_S = 1.0
_NO_ACK = "X-Nuclio-Stream-No-Ack"


class StreamTrigger(BaseTrigger):
    """Reads the shards that fall to one worker."""

    def __init__(self, trigger: Trigger, group: str, worker: int, settings: Settings, logger: nuclio_sdk.Logger):
        self._trigger, self._group, self._worker = trigger, group, worker
        self._settings, self._logger = settings, logger
        self._explicit_only = trigger.explicit_ack.lower() == "explicitonly"
        self._name = str(trigger.attributes["url"])
        kind = "kafka-cluster" if trigger.configured.startswith("kafka") else "v3io-stream"
        self._info = nuclio_sdk.TriggerInfo(kind, trigger.name)
        self._stopping = False
        self._acked: dict[int, int] = {}
        self._committed_at = self._yielded_at = monotonic()

    async def prepare(self, handler: Handler) -> None:
        self._handler = handler
        self._stream: Stream = connect.stream(self._name, self._settings)
        self._positions: dict[int, int] = {}
        self._seek = str(self._trigger.attributes.get("seekTo") or "earliest")
        start_offset(self._stream, 0, self._seek)

    async def start(self) -> None:
        """Only now: an older worker may have committed up to this moment."""
        for shard in range(self._worker, self._stream.shards, self._trigger.workers):
            committed = self._stream.committed(self._group, shard)
            self._positions[shard] = committed or start_offset(self._stream, shard, self._seek)
        self._running = asyncio.create_task(self._run())

    def stop(self) -> None:
        self._stopping = True

    async def stopped(self) -> None:
        await self._running

    def close(self) -> None:
        self._commit()
        self._stream.close()

    async def ack(self, message: dict[str, Any]) -> None:  # type: ignore[override]
        """An explicit acknowledgement of the SDK: everything up to this offset of the shard is done."""
        where = message["attributes"]
        self._done(int(where["partition"]), int(where["offset"]))

    async def _run(self) -> None:
        pause_s = _SHORTEST_PAUSE_S
        while not self._stopping:
            try:
                taken = await self._read()
                self._commit()
            except StoreError as exc:
                self._logger.error(f"stream {self._name}: {exc}; trying again in {_STORE_AWAY_S:g} s")
                taken, pause_s = 0, _STORE_AWAY_S
            if taken:
                pause_s = _SHORTEST_PAUSE_S
                continue
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    async def _read(self) -> int:
        taken = 0
        for shard, position in self._positions.items():
            for message in self._stream.read(shard, position, _AT_ONCE):
                await self._handle(message)
                self._positions[shard] = message.offset + 1
                taken += 1
                if self._stopping:
                    return taken
        return taken

    async def _handle(self, message: Message) -> None:
        """Hand one message over. What the handler raises is logged, and the next message follows."""
        try:
            output = await self._handler(self._event(message))
        except BaseException as exc:
            where = f"shard {message.shard}, offset {message.offset} of {self._name}"
            self._handler.failed(f"Exception caught in handler at {where}", exc)
        else:
            if not self._explicit_only and not _refused(output):
                self._done(message.shard, message.offset)
        if (now := monotonic()) > self._yielded_at + _YIELD_S:
            self._yielded_at = now
            await asyncio.sleep(0)  # signals and timers of the handler
            if now > self._committed_at + _COMMIT_S:
                self._commit()

    def _event(self, message: Message) -> nuclio_sdk.Event:
        return nuclio_sdk.Event(
            message.value,
            "",
            self._info,
            _id="",
            method="",
            path=self._name,
            size=len(message.value),
            timestamp=datetime.fromtimestamp(message.appended, UTC).replace(tzinfo=None),
            url="",
            shard_id=message.shard,
            num_shards=self._stream.shards,
            _type="",
            type_version="",
            version="",
            offset=message.offset,
            topic=self._name,
        )

    def _done(self, shard: int, offset: int) -> None:
        self._acked[shard] = max(self._acked.get(shard, 0), offset + 1)

    def _commit(self) -> None:
        acked, self._acked = self._acked, {}
        for shard, offset in acked.items():
            self._stream.commit(self._group, shard, offset)
        self._committed_at = monotonic()


def _refused(output: Any) -> bool:
    """Whether a response says that its message is not done (explicitAckMode: enable)."""
    return isinstance(output, nuclio_sdk.Response) and bool(output.headers.get(_NO_ACK))


def create(
    trigger: Trigger, spec: FunctionSpec, launch: Launch, listener: socket.socket | None, logger: nuclio_sdk.Logger
) -> StreamTrigger:
    if not trigger.attributes.get("url"):
        raise PlatformError(
            f"trigger {trigger.name!r} names no stream: give attributes.containerName and attributes.streamPath"
        )
    group = trigger.attributes.get("consumerGroup") or spec.name
    return StreamTrigger(trigger, group, launch.worker, Settings.read(), logger)
