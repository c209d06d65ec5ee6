"""One worker process of a deployed function: `python -P -m leeway.local.worker <launch>`.

It follows Nuclio's Python worker: one event at a time, the SDK's Context, Event and Response. It is light: neither
mlrun nor pandas nor the platform's own server is imported here.
"""

import asyncio
import os
import signal
import socket
import sys
import traceback
from pathlib import Path

import nuclio_sdk
import uvloop

from leeway.with_room import with_room

from .control import Control
from .function_spec import FunctionSpec, Trigger
from .handler import Handler, LaptopPlatform, create_logger, reason_of
from .home import Home, read_json
from .launch import Launch
from .triggers import create
from .triggers.base import BaseTrigger


class Worker:
    """Loads the function, says so, serves when told to, and ends as Nuclio's would: drained, callback called."""

    def __init__(self, launch: Launch):
        self._launch = launch
        self._code = Path(launch.code)
        self._spec = FunctionSpec.read(read_json(self._code / "document.json"))
        self._listener = _inherited(launch.listener) if launch.listener >= 0 else None
        self._control = Control(_inherited(launch.control), self._listener, Path(launch.log))
        self._logger = create_logger(self._spec.name, launch.worker)

    async def run(self) -> int:
        """The exit code."""
        self._control.start()
        step = f"import of {self._spec.module}"
        try:
            trigger = create(self._trigger(), self._spec, self._launch, self._listener, self._logger)
            platform = LaptopPlatform(Home(Path(self._launch.home)), trigger.ack)
            handler = self._load(platform)
            step = "init_context raised"
            await handler.init()
            step = f"trigger {self._launch.trigger}"
            await trigger.prepare(handler)
        except BaseException as exc:
            return self._fail(exc, step)
        await self._serve(trigger, platform)
        return 0

    async def _serve(self, trigger: BaseTrigger, platform: LaptopPlatform) -> None:
        loop, go = asyncio.get_running_loop(), asyncio.Event()
        self._control.ready(lambda: loop.call_soon_threadsafe(go.set))
        await go.wait()
        loop.add_signal_handler(signal.SIGTERM, trigger.stop)
        await trigger.start()
        self._control.serving()
        await trigger.stopped()
        await platform.terminate()
        trigger.close()

    def _trigger(self) -> Trigger:
        return next(trigger for trigger in self._spec.triggers if trigger.name == self._launch.trigger)

    def _load(self, platform: LaptopPlatform) -> Handler:
        folder = self._code if self._spec.path is None else self._spec.path
        sys.path.insert(0, str(folder if folder.is_dir() else folder.parent))
        info = nuclio_sdk.TriggerInfo(self._trigger().configured, self._launch.trigger)
        context = nuclio_sdk.Context(self._logger, platform, str(self._launch.worker), info)
        return Handler(self._spec.module, self._spec.function, context, self._spec.mlrun_serving)

    def _fail(self, exc: BaseException, step: str) -> int:
        folder = self._spec.path or self._code
        reason = reason_of(exc, step, folder if folder.is_dir() else folder.parent)
        traceback.print_exception(exc)
        print(reason, file=sys.stderr, flush=True)
        self._control.failed(reason)
        return 1


def _inherited(fd: int) -> socket.socket:
    """From the supervisor to this process, and no further: a child of a handler must not hold the port."""
    inherited = socket.socket(fileno=fd)
    inherited.set_inheritable(False)
    return inherited


def main() -> int:
    launch = Launch.parse(sys.argv[1])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return with_room(runner.run, Worker(launch).run())


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a handler's threads do not hold a worker back that has drained
