"""A Nuclio processor as the supervisor sees it: started here, or found alive."""

import asyncio
import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import yaml

from leeway.errors import PlatformError
from leeway.settings import Settings

from ..environment import environment
from ..function_spec import Trigger
from ..generation import Generation
from ..home import Home, read_json, write_json
from ..listeners import listen
from ..process import Process
from ..worker_process import LogTail, WorkerRecord
from .documents import ENTRY, platform_yaml, processor_yaml
from .entry import FAILED
from .nuclio_processor import NuclioProcessor

KIND = "processor"
_QUITTING_S = 5.0  # what it sleeps after its workers' termination timeout, always
_MARGIN_S = 2.0
_POLL_S = 0.05
_LOG_LIMIT = 10_000_000
_PROBE_S = 5.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ENTRY = """# Written by Leeway for one start of Nuclio's processor.
from leeway.local.processor.entry import Entry

entry = Entry({arguments})
init_context = entry.init_context


def handler(context, event):
    return entry.handle(context, event)
"""


class ProcessorProcess:
    """The processor and the Python processes of its workers, in a process group of their own. `record.socket` is the
    folder of its files. Nuclio says nothing where a port is taken: only an answer to our probe counts as ready."""

    def __init__(self, record: WorkerRecord, log: LogTail, child: subprocess.Popen | None):
        self.record, self.log, self._child = record, log, child
        self._probe = read_json(Path(record.socket) / "probe.json", {})

    @classmethod
    def start(
        cls,
        nuclio: NuclioProcessor,
        home: Home,
        generation: Generation,
        triggers: tuple[Trigger, ...],
        ports: Mapping[str, int],
        environ: Mapping[str, str],
        log: Path,
    ) -> "ProcessorProcess":
        """Start one that runs `triggers` and listens on `ports`. PlatformError where it cannot be started."""
        nuclio.check()
        spec, folder = generation.spec, generation.folder / f"{KIND}-{uuid4().hex[:12]}"
        folder.mkdir(mode=0o700)
        probe, health = f"/__leeway/{uuid4().hex}", free_port()
        tmpdir = tempfile.mkdtemp(prefix="leeway-", dir=environ.get("TMPDIR"))
        env = environment(spec, home, environ)
        settings = Settings.read(env)
        _write_yaml(folder / "processor.yaml", processor_yaml(spec, triggers, ports, settings))
        _write_yaml(folder / "platform.yaml", platform_yaml(health))
        code = generation.folder if spec.path is None else spec.path
        code = code if code.is_dir() else code.parent
        arguments = (
            spec.module,
            spec.function,
            str(code),
            spec.mlrun_serving,
            probe,
            str(home.path),
            env.get("TMPDIR"),
        )
        (folder / f"{ENTRY}.py").write_text(_ENTRY.format(arguments=", ".join(map(repr, arguments))))
        http_ports = [ports[trigger.name] for trigger in triggers if trigger.kind == "http"]
        write_json(folder / "probe.json", {"path": probe, "ports": http_ports, "health": health, "tmpdir": tmpdir})
        env |= {
            "TMPDIR": tmpdir,
            "NUCLIO_PYTHON_WRAPPER_PATH": str(nuclio.wrapper),
            "NUCLIO_PYTHON_EXE_PATH": sys.executable,
            "NUCLIO_PYTHON_PATH": str(folder),
        }
        tail, child = LogTail.now(log), _spawn(nuclio.binary, folder, env, home, log)
        process = Process.of(child.pid) or Process(child.pid, "gone")
        grace_s = max(trigger.termination_s for trigger in triggers) + _QUITTING_S + _MARGIN_S
        record = WorkerRecord(
            child.pid, process.started, str(folder), generation.name, KIND, 0, KIND, grace_s=grace_s
        )  # fmt: skip
        return cls(record, tail, child)

    @classmethod
    async def adopt(cls, record: WorkerRecord, log: Path) -> "ProcessorProcess | None":
        """One that another supervisor started, if it lives and answers; one that does not is killed."""
        if not record.process.alive():
            return None
        found = cls(record, LogTail.now(log), None)
        with contextlib.suppress(PlatformError):
            await found.ready(_PROBE_S)
            return found
        found.kill()
        return None

    async def ready(self, seconds: float) -> None:
        """Wait until it answers the probe; PlatformError with the reason where it does not."""
        end = time.monotonic() + seconds
        while not await asyncio.to_thread(self._answers):
            if not self.record.process.alive():
                raise PlatformError(await self.gone())
            if time.monotonic() > end:
                raise PlatformError(f"{self._silence()} after {seconds:g} s; see {self.log.path}")
            await asyncio.sleep(_POLL_S)

    async def gone(self) -> str:
        """Wait for its end; how it ended. Nothing of its group is left then."""
        while self.record.process.alive():
            self._keep_log_small()
            await asyncio.sleep(_POLL_S)
        self.record.process.sweep()
        shutil.rmtree(self._probe.get("tmpdir", self.record.socket), ignore_errors=True)
        shutil.rmtree(self.record.socket, ignore_errors=True)
        return self._ending()

    def terminate(self) -> None:
        """Its workers finish and their termination callbacks run; it ends after their timeout and five seconds."""
        self.record.process.send(signal.SIGTERM)

    def kill(self) -> None:
        self.record.process.send(signal.SIGKILL)

    def leaving(self) -> None:
        self.record = replace(self.record, leaving=True)

    def _answers(self) -> bool:
        """Whether each http trigger answers the probe; without one, whether the health port says ready."""
        path, ports = self._probe.get("path", "/"), self._probe.get("ports", [])
        if not ports:
            return _get(self._probe.get("health", 0), "/ready")[0] == 200
        return all(_get(port, path) == (200, path.encode()) for port in ports)

    def _silence(self) -> str:
        """What a processor that lives and does not answer may be due to."""
        for port in self._probe.get("ports", []):
            if (said := _get(port, self._probe["path"]))[0] not in (0, 503):
                return f"port {port} is another program's ({said[0]} to our probe): stop it, or change the port;"
        return "not ready"

    def _keep_log_small(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.log.path.stat().st_size > _LOG_LIMIT:
                shutil.copyfile(self.log.path, self.log.path.with_suffix(".log.1"))
                os.truncate(self.log.path, 0)  # it appends: what it writes next is at the beginning

    def _ending(self) -> str:
        text = _COLOURS.sub("", self.log.read(200_000))
        if FAILED in text:
            return text.rpartition(FAILED)[2].splitlines()[0]
        code = self._child.wait() if self._child is not None else None
        how = "ended" if code is None else f"ended by {signal.Signals(-code).name}" if code < 0 else f"exited {code}"
        telling = [line.strip() for line in text.splitlines() if line.startswith(("panic:", "Error - "))]
        said = telling or text.splitlines()[-1:]
        return f"processor (pid {self.record.pid}) {how}" + (f"; its log says: {said[0]}" if said else "")


def free_port() -> int:
    """One that nobody listens on just now."""
    with listen(0) as listener:
        return listener.getsockname()[1]


def _write_yaml(path: Path, value: object) -> None:
    """For its owner only: brokers' passwords may be in it."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        yaml.safe_dump(value, file)


def _get(port: int, path: str) -> tuple[int, bytes]:
    """(0, b"") where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PROBE_S)
    try:
        connection.request("GET", path, headers={"Origin": f"http://127.0.0.1:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException, socket.gaierror):
        return 0, b""
    finally:
        connection.close()


def _spawn(binary: Path, folder: Path, env: Mapping[str, str], home: Home, log: Path) -> subprocess.Popen:
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(binary), "--config", f"{folder}/processor.yaml", "--platform-config", f"{folder}/platform.yaml"]
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=fd, stderr=fd, env=dict(env), cwd=home.path,
            start_new_session=True,
        )  # fmt: skip
    except OSError as exc:
        raise PlatformError(f"{binary} cannot be run: {exc.strerror}; NUCLIO_PROCESSOR names it") from None
    finally:
        os.close(fd)
