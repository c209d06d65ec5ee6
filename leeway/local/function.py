"""One deployed function: its workers, and how one version of it follows another."""

import asyncio
import shutil
import signal
import time
from collections.abc import Awaitable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from leeway.errors import PlatformError
from leeway.settings import Settings

from .drain import drain
from .environment import environment
from .function_spec import Trigger, left_out
from .generation import Generation, load, prepare
from .home import Home, read_json, write_json
from .listeners import Listeners
from .process import stop
from .processor.nuclio_processor import NuclioProcessor
from .processor.ports import Ports
from .processor.process import KIND, ProcessorProcess
from .processor.slot import ProcessorSlot
from .requirements import check
from .slot import Running, Slot
from .worker_process import WorkerProcess, WorkerRecord, receive_listener

DRAIN_S = 45.0
READY_S = 120.0
_KEPT_LOGS = 100


class Function:
    """`status` is Nuclio's: state (building, ready, error, unhealthy, scaledToZero), message, logs, addresses."""

    def __init__(self, home: Home, name: str, environ: Mapping[str, str]):
        self.name = name
        self._home, self._folder, self._environ = home, home.function(name), environ
        kept = read_json(self._folder.state, {})
        self.document: dict[str, Any] = read_json(self._folder.document, {})
        self.state, self._message = kept.get("state", "building"), kept.get("message", "")
        self._logs: list[dict[str, Any]] = kept.get("logs", [])
        self._live: str = kept.get("live", "")
        self._nuclio = NuclioProcessor.of(Settings.read(environ))
        self._listeners: Listeners | Ports = (Ports if self._nuclio else Listeners)(kept.get("ports", {}))
        self._slots: list[Slot] = []
        self._parting: list[Running] = []  # of the version before, not told yet
        self._leaving: dict[Running, asyncio.Task] = {}
        self._turn = asyncio.Lock()

    @property
    def status(self) -> dict[str, Any]:
        """The `status` part of the document, as the dashboard shows it; `workers` is ours."""
        urls = [f"127.0.0.1:{port}" for port in self._listeners.open]
        return {
            "state": self.state,
            "message": self._message,
            "logs": self._logs,
            **({"httpPort": self._listeners.open[0]} if urls else {}),
            "internalInvocationUrls": urls,
            "externalInvocationUrls": urls,
            "workers": [slot.status for slot in self._slots],
        }

    @property
    def logs(self) -> dict[str, Path]:
        """The log of each worker there ever was, by "<trigger>-<worker>"."""
        return {path.stem: path for path in sorted(self._folder.logs.glob("*.log"))}

    def begin(self, document: Mapping[str, Any]) -> Awaitable[None]:
        """Note what is asked for; what is returned carries it out, and never raises: the state tells."""
        self.document = dict(document)
        write_json(self._folder.document, self.document)
        self._say("building")
        return self._deploy()

    async def _deploy(self) -> None:
        async with self._turn:
            try:
                await self._replace(await asyncio.to_thread(self._prepare))
                self._say("ready")
            except Exception as exc:
                self._failed(exc)

    def _prepare(self) -> Generation:
        generation = prepare(self._folder, self.document)
        for command in check(generation.spec.commands, generation.spec.requirements):
            self._log("warning", f"build command {command!r} is not run on the laptop")
        for what in left_out(self.document) if self._nuclio is None else ():
            self._log("warning", f"{what} is not there on the laptop")
        return generation

    def _failed(self, exc: Exception) -> None:
        message = str(exc) if isinstance(exc, PlatformError) else f"{type(exc).__name__}: {exc}"
        self._say("error", message + ("; the workers of the version before keep serving" if self._slots else ""))

    async def _replace(self, generation: Generation) -> None:
        """New workers load the function beside the old ones; only when all are ready does anything change."""
        if generation.name == self._live and self._slots and all(slot.serving for slot in self._slots):
            return self._log("info", "nothing changed: the running workers stay")
        planned = self._listeners.plan(generation.spec)
        fresh = self._places(generation, planned, rehearse=bool(self._slots))
        try:
            for slot in fresh:
                await slot.launch()
            await asyncio.gather(*(slot.ready() for slot in fresh))
        except BaseException:
            self._log_tails(fresh)
            await asyncio.gather(*(slot.discard() for slot in fresh))
            self._listeners.forget(planned)
            raise
        old, self._slots, self._live = self._slots, fresh, generation.name
        self._listeners.hold(planned)
        await self._hand_over(old, fresh)
        self._drop_old_code()

    def _places(self, generation: Generation, planned: Mapping[str, Any], rehearse: bool) -> list[Slot]:
        shared, ready_s = self._shared(generation), generation.ready_s or READY_S
        slots: list[Slot] = []
        if self._nuclio is not None and shared:
            slots = [ProcessorSlot(self._nuclio, self._home, self._environ, generation, shared, self._changed)]
            slots[0].equip(planned, ready_s, rehearse)
        for trigger in generation.spec.triggers:
            for worker in range(trigger.workers) if trigger not in shared else ():
                slots.append(Slot(self._home, self._environ, generation, trigger, worker, self._changed))
                slots[-1].equip(planned.get(trigger.name), ready_s)
        return slots

    def _shared(self, generation: Generation) -> tuple[Trigger, ...]:
        """The triggers that Nuclio's processor runs, where there is one."""
        if self._nuclio is None:
            return ()
        env = environment(generation.spec, self._home, self._environ)
        return self._nuclio.share(generation.spec.triggers, Settings.read(env))

    async def _hand_over(self, old: list[Slot], fresh: list[Slot]) -> None:
        """http: the new workers serve before the old ones drain. Others: the old ones end before the new ones begin,
        as two must not read one stream at a time."""
        for slot in old:
            self._parting += [process] if (process := await slot.release()) else []
        self._save()
        await self._go([slot for slot in fresh if slot.trigger.kind == "http"])
        parting, self._parting = self._parting, []
        leaving = [self._leave(process, drain=process.record.kind == "http") for process in parting]
        if ending := [task for task, process in zip(leaving, parting) if process.record.kind != "http"]:
            await asyncio.wait(ending)
        await self._go([slot for slot in fresh if slot.trigger.kind != "http"])
        for slot in fresh:
            slot.keep()

    async def _go(self, slots: list[Slot]) -> None:
        """One that dies at this moment is started again like any other."""
        await asyncio.gather(*(slot.go() for slot in slots), return_exceptions=True)

    def _leave(self, process: Running, drain: bool, told: bool = False) -> asyncio.Task:
        """Let a worker drain and end; it is killed when it takes too long. `told`: it has been asked already."""
        process.leaving()
        task = asyncio.create_task(self._see_off(process, DRAIN_S if drain else process.record.grace_s, told))
        self._leaving[process] = task
        self._save()
        return task

    async def _see_off(self, process: Running, seconds: float, told: bool) -> None:
        if not told:
            process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await process.gone()
        except TimeoutError:
            self._log("warning", f"worker {process.record.pid} did not end in {seconds:g} s and was killed")
            process.kill()
            await process.gone()
        del self._leaving[process]
        self._save()

    async def resume(self) -> None:
        """After a restart of the platform: go on with the workers that live, start those that are missing."""
        if self._live and self.state != "scaledToZero":
            try:
                await self._take_over(load(self._folder, self._live))
            except PlatformError as exc:
                self._failed(exc)

    async def _take_over(self, generation: Generation) -> None:
        records = [WorkerRecord(**record) for record in read_json(self._folder.workers, [])]
        current = [record for record in records if record.generation == self._live and not record.leaving]
        if isinstance(self._listeners, Ports):
            self._listeners.resume()
        else:
            for record in current:
                self._take_listener(self._listeners, record)
        planned = self._listeners.plan(generation.spec)
        self._listeners.hold(planned)
        self._slots = self._places(generation, planned, rehearse=False)
        places = {(slot.trigger.name, slot.worker): slot for slot in self._slots}
        for record in records:
            kind: Any = ProcessorProcess if record.kind == KIND else WorkerProcess
            found = await kind.adopt(record, self._folder.log(record.trigger, record.worker))
            if found is not None and record in current and (record.trigger, record.worker) in places:
                places[record.trigger, record.worker].adopt(found)
            elif found is not None:
                self._leave(found, drain=True, told=record.leaving)
        for slot in self._slots:
            slot.keep()
        self._save()

    def _take_listener(self, listeners: Listeners, record: WorkerRecord) -> None:
        if record.kind != "http" or not record.process.alive():
            return
        try:
            listener = receive_listener(record.socket)
        except OSError:
            return record.process.send(signal.SIGKILL)  # it does not answer its supervisor, nor anybody
        if listener is not None:
            listeners.take(record.trigger, listener)

    async def scale_to_zero(self) -> None:
        """Stop all workers; the document stays."""
        await self.stop()
        self._say("scaledToZero")

    async def stop(self) -> None:
        """Stop all workers, drained as far as the grace goes, and send on what those that were killed left."""
        async with self._turn:
            slots, self._slots = self._slots, []
            own = [process for slot in slots if (process := await slot.release())] + self._parting
            records = [process.record for process in [*own, *self._leaving]]
            grace_s = max((record.grace_s for record in records), default=0.0)
            await asyncio.to_thread(stop, [record.process for record in records], grace_s)
            await asyncio.gather(*(process.gone() for process in own), *self._leaving.values())
            self._parting = []
            self._listeners.hold({})
            if left := await asyncio.to_thread(drain, self._home, self.document, self._environ):
                self._log("warning", f"records wait in the outbox: {left}")
            self._save()

    def erase(self) -> None:
        """Forget the function: code, logs, everything."""
        shutil.rmtree(self._folder.path, ignore_errors=True)

    def _changed(self) -> None:
        """A worker came or went."""
        dying = [slot for slot in self._slots if slot.keeps_dying]
        if dying and self.state in ("ready", "unhealthy"):
            message = f"worker {dying[0].trigger.name}-{dying[0].worker} keeps dying: {dying[0].reason}"
            return self._say("unhealthy", message) if message != self._message else self._save()
        if self.state == "unhealthy" and not dying:
            return self._say("ready")
        self._save()

    def _say(self, state: str, message: str = "") -> None:
        self.state, self._message = state, message
        level = "error" if state in ("error", "unhealthy") else "info"
        self._log(level, f"{state}: {message}" if message else state)
        self._save()

    def _log_tails(self, slots: list[Slot]) -> None:
        for slot in slots:
            if slot.process is not None and (text := slot.process.log.read()):
                self._log("info", f"log of worker {slot.trigger.name}-{slot.worker}:\n{text}")

    def _log(self, level: str, message: str) -> None:
        """An entry of status.logs, with the keys that nuclio-jupyter and MLRun's server read; time in ms."""
        entry = {"time": time.time() * 1000, "level": level, "message": message, "name": self.name}
        self._logs = [*self._logs, entry][-_KEPT_LOGS:]

    def _save(self) -> None:
        processes = [slot.process for slot in self._slots if slot.process] + [*self._parting, *self._leaving]
        write_json(self._folder.workers, [asdict(process.record) for process in dict.fromkeys(processes)])
        state = {"state": self.state, "message": self._message, "live": self._live, "logs": self._logs}
        write_json(self._folder.state, {**state, "ports": self._listeners.ports, "open": self._listeners.open})

    def _drop_old_code(self) -> None:
        used = {self._live, *(process.record.generation for process in self._leaving)}
        for folder in self._folder.code("").iterdir():
            if folder.name not in used:
                shutil.rmtree(folder, ignore_errors=True)
