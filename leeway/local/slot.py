"""The place of one worker of a function: filled when the function is deployed, and again whenever its worker dies."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from leeway.errors import PlatformError

from .environment import environment
from .function_spec import Trigger
from .generation import Generation
from .home import Home
from .launch import Launch
from .worker_process import LogTail, WorkerProcess, WorkerRecord

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_S = 10.0
_KEEPS_DYING = 3


class Running(Protocol):
    """What runs in a slot: one of Leeway's workers, or Nuclio's processor."""

    record: WorkerRecord
    log: LogTail

    async def ready(self, seconds: float) -> None: ...
    async def gone(self) -> str: ...
    def leaving(self) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Slot:
    """launch, ready, go, keep; `changed` is called whenever its worker came or went."""

    def __init__(
        self,
        home: Home,
        environ: Mapping[str, str],
        generation: Generation,
        trigger: Trigger,
        worker: int,
        changed: Callable[[], None],
    ):
        self.trigger, self.worker, self.serving, self.reason = trigger, worker, False, ""
        self._home, self._environ, self._generation, self._changed = home, environ, generation, changed
        self.process: Running | None = None
        self._deaths, self._restarts = 0, 0
        self._listener: socket.socket | None = None
        self._ready_s = 0.0
        self._keeper: asyncio.Task | None = None

    @property
    def log(self) -> Path:
        return self._home.function(self._generation.spec.name).log(self.trigger.name, self.worker)

    @property
    def keeps_dying(self) -> bool:
        return self._deaths >= _KEEPS_DYING

    @property
    def status(self) -> dict[str, Any]:
        return {
            "trigger": self.trigger.name,
            "worker": self.worker,
            "pid": self.process.record.pid if self.process is not None else None,
            "serving": self.serving,
            "restarts": self._restarts,
            "reason": self.reason,
            "log": str(self.log),
        }

    def equip(self, listener: socket.socket | None, ready_s: float) -> None:
        """What every worker in this place gets: the listening socket, and the time to load the function."""
        self._listener, self._ready_s = listener, ready_s

    def adopt(self, process: Running) -> None:
        """Fill it with a worker that serves already."""
        self.process, self.serving = process, True

    async def launch(self) -> None:
        """Start a process; it does not serve yet."""
        spec, folder = self._generation.spec, self._generation.folder
        launch = Launch(
            str(self._home.path), spec.name, str(folder), self.trigger.name, self.worker, str(self.log), control=-1
        )
        env = environment(spec, self._home, self._environ)
        self.process = await WorkerProcess.start(
            self._home, launch, self._generation.name, self.trigger.kind, env, self._listener
        )

    async def ready(self) -> None:
        """Wait until it has loaded the function; PlatformError with the reason where it cannot."""
        await self._here().ready(self._ready_s)

    async def go(self) -> None:
        """Let it serve."""
        if not self.serving:
            process = self._here()
            assert isinstance(process, WorkerProcess)  # others have a slot of their own
            await process.go()
            self.serving = True

    def keep(self) -> None:
        """From now on, start it again whenever it dies."""
        self._keeper = asyncio.create_task(self._keep())

    async def release(self) -> Running | None:
        """Stop looking after it; the process, if there is one, goes on."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        process, self.process, self.serving = self.process, None, False
        return process

    async def discard(self) -> None:
        """Kill it: it never served."""
        if (process := await self.release()) is not None:
            process.kill()
            await process.gone()

    async def _keep(self) -> None:
        while True:
            if self.process is not None:
                self.reason = await self._end()
                self.serving = False
            await self._restart()

    async def _end(self) -> str:
        """How its worker ended. One that lived for a while has made good for those that died before it."""
        try:
            async with asyncio.timeout(STEADY_S):
                return await self._here().gone()
        except TimeoutError:
            self._deaths, self.reason = 0, ""
            self._changed()
            return await self._here().gone()

    async def _restart(self) -> None:
        while not self.serving:
            pause_s = min(FIRST_PAUSE_S * 2**self._deaths, LONGEST_PAUSE_S)
            self._deaths += 1
            self.process = None
            self._changed()
            await asyncio.sleep(pause_s)
            try:
                await self.launch()
                await self.ready()
                self._changed()
                await self.go()
                self._restarts += 1
            except Exception as exc:  # whatever it is, the place is not given up
                self.reason = str(exc) if isinstance(exc, PlatformError) else f"{type(exc).__name__}: {exc}"
                await self._kill()
        self._changed()

    async def _kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            await self.process.gone()

    def _here(self) -> Running:
        if self.process is None:
            raise PlatformError(f"worker {self.trigger.name}-{self.worker} is not started")
        return self.process
