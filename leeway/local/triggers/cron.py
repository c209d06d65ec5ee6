"""The cron trigger: an event every `interval` (a Go duration: "3s", "1m30s"), or on a `schedule` (UTC).

As in Nuclio, the next tick is set when the handler has returned: missed ones collapse into one. The event's body is
bytes and its time 1970-01-01.
"""

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import nuclio_sdk

from leeway.errors import PlatformError

from ..cron_schedule import CronSchedule, duration_s
from ..function_spec import FunctionSpec, Trigger
from ..handler import Handler
from ..launch import Launch
from .base import BaseTrigger

_EPOCH = datetime(1970, 1, 1)


class CronTrigger(BaseTrigger):
    """`next_tick` maps a time to the one of the first tick after it."""

    def __init__(self, trigger: Trigger, next_tick: Callable[[datetime], datetime]):
        self._next_tick = next_tick
        event = trigger.attributes.get("event") or {}
        self._body, self._headers = str(event.get("body") or "").encode(), event.get("headers") or {}
        self._info = nuclio_sdk.TriggerInfo("cron", trigger.name)
        self._stopping = asyncio.Event()

    async def prepare(self, handler: Handler) -> None:
        self._handler = handler

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    def stop(self) -> None:
        self._stopping.set()

    async def stopped(self) -> None:
        await self._running

    async def _run(self) -> None:
        while not self._stopping.is_set():
            now = datetime.now(UTC)
            try:
                async with asyncio.timeout((self._next_tick(now) - now).total_seconds()):
                    await self._stopping.wait()
            except TimeoutError:
                await self._tick()

    async def _tick(self) -> None:
        event = nuclio_sdk.Event(
            self._body, self._headers.get("Content-Type", ""), self._info, headers=self._headers, _id="", method="",
            size=len(self._body), timestamp=_EPOCH, url="", shard_id=-1, num_shards=0, topic="",
        )  # fmt: skip
        try:
            await self._handler(event)
        except BaseException as exc:
            self._handler.failed("Exception caught in handler", exc)


def next_tick(trigger: Trigger) -> Callable[[datetime], datetime]:
    """From a time to that of the next tick; PlatformError where the attributes say no time, or none that is."""
    interval, schedule = (trigger.attributes.get(key) for key in ("interval", "schedule"))
    if interval:
        step = timedelta(seconds=duration_s(str(interval)))
        return lambda now: now + step
    if schedule:
        return CronSchedule.parse(str(schedule)).next_after
    raise PlatformError(f"trigger {trigger.name!r} has neither attributes.interval nor attributes.schedule")


def create(
    trigger: Trigger, spec: FunctionSpec, launch: Launch, listener: socket.socket | None, logger: nuclio_sdk.Logger
) -> CronTrigger:
    return CronTrigger(trigger, next_tick(trigger))
