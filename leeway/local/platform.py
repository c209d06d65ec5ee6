"""The laptop's Nuclio platform, seen from a command or a notebook: start it, find it, stop it, ask it."""

import fcntl
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from leeway.errors import PlatformError
from leeway.settings import Settings

from .drain import drain
from .environment import python_path
from .function_spec import PROJECT_LABEL
from .home import Home, read_json
from .process import Process, stop
from .worker_process import LogTail, WorkerRecord

GRACE_S = 10.0
_START_S = 30.0
_POLL_S = 0.05


def ensure(settings: Settings) -> str:
    """The URL of the platform of this home ("http://127.0.0.1:port"); started, detached, where none runs. It brings
    back the functions that were deployed before.

    PlatformError where it cannot start: it says why.
    """
    home, end, line = Home.at(settings.home), time.monotonic() + _START_S, ""
    home.create()
    while time.monotonic() < end:
        if (url := find(settings)) is not None:
            return url
        line = _start(home)
        if line.startswith("ready "):
            return line.removeprefix("ready ")
        if not line.startswith("busy "):
            break
        time.sleep(_POLL_S)  # another command starts or stops one just now
    raise PlatformError(f"the platform of {home.path} did not start: {line or 'no reason given'}; see {home.log}")


def find(settings: Settings) -> str | None:
    """The URL of the platform of this home, None where none runs."""
    about = read_json(Home.at(settings.home).platform)
    return about["url"] if about and Process(about["pid"], about["started"]).alive() else None


def down(settings: Settings, report: Callable[[str], None] = lambda line: None) -> list[str]:
    """Stop the platform and every worker of this home, those with http first: each drains and runs its termination
    callback (10 s, Nuclio's processor its termination timeout and 5 s; then it is killed); then send on what workers
    that were killed left. Returns what was stopped; `report` hears of what could not be sent. What was not started here
    is not touched."""
    home = Home.at(settings.home)
    if not home.lock.exists():
        return []
    stopped = []
    with open(home.lock, "a") as lock:
        while not _locked(lock.fileno()):  # held until the end: no other platform takes the workers over meanwhile
            if (platform := _holder(home)) is not None:
                stop([platform], GRACE_S)
                stopped.append(f"platform (pid {platform.pid})")
            time.sleep(_POLL_S)
        for wants_http in (True, False):
            stopped += _stop_workers(home, wants_http)
        for function in home.deployed():
            if left := drain(home, read_json(function.document, {}), os.environ):
                report(f"records of {function.path.name} wait in its outbox: {left}")
    return stopped


def status(settings: Settings) -> dict[str, Any]:
    """{home, url, pid, functions: {name: {state, message, project, addresses, workers}}}; url is None where no
    platform runs, and `functions` then says what was deployed when the last one ended."""
    home, url = Home.at(settings.home), find(settings)
    functions = _get(url, "/api/functions") if url else _from_disk(home)
    pid = read_json(home.platform)["pid"] if url else None
    return {
        "home": str(home.path),
        "url": url,
        "pid": pid,
        "functions": {name: _summary(function) for name, function in functions.items()},
    }


def _start(home: Home) -> str:
    """Start a platform; the line that it says: "ready URL", "busy WHO" where one runs already, or how it failed."""
    log, (hear, tell) = LogTail.now(home.log), os.pipe()
    fd = os.open(home.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    command = [sys.executable, "-P", "-m", "leeway.local.supervisor", str(home.path), str(tell)]
    environ = {**os.environ, "PYTHONPATH": python_path(os.environ)}
    try:
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=fd, stderr=fd, env=environ, cwd=home.path, pass_fds=[tell]
        )
    finally:
        os.close(fd)
        os.close(tell)
    with open(hear) as lines:
        line = lines.readline().strip()
    return line or log.read().rpartition("\n")[2]


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(home: Home) -> Process | None:
    """The platform that holds the lock, None where it just begins or ends."""
    try:
        holder = Process(**json.loads(home.lock.read_text()))
    except (json.JSONDecodeError, TypeError):
        return None
    return holder if holder.alive() else None


def _stop_workers(home: Home, wants_http: bool) -> list[str]:
    stopped, records, grace_s = [], {}, GRACE_S
    for function in home.deployed():
        for entry in read_json(function.workers, []):
            record = WorkerRecord(**entry)
            if (record.kind in ("http", "processor")) == wants_http and record.process.alive():
                grace_s = max(grace_s, record.grace_s)
                records[record.process] = f"{function.path.name} {record.trigger}-{record.worker} (pid {record.pid})"
    killed = stop(records, grace_s)
    for process, what in records.items():
        stopped.append(what + (f", killed after {grace_s:g} s" if process in killed else ""))
    return stopped


def _get(url: str, path: str) -> Any:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_START_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except OSError as exc:
        raise PlatformError(f"the platform at {url} does not answer ({exc}); `leeway down` stops it") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise PlatformError(f"GET {url}{path}: {answer.status} {body.decode(errors='replace')}")
    return json.loads(body)


def _from_disk(home: Home) -> dict[str, Any]:
    return {
        function.path.name: {
            **read_json(function.document, {}),
            "status": {**read_json(function.state, {}), "state": "stopped", "workers": []},
        }
        for function in home.deployed()
    }


def _summary(function: dict[str, Any]) -> dict[str, Any]:
    state, metadata = function["status"], function.get("metadata") or {}
    return {
        "state": state.get("state", ""),
        "message": state.get("message", ""),
        "project": (metadata.get("labels") or {}).get(PROJECT_LABEL, "default"),
        "addresses": [f"http://{address}" for address in state.get("externalInvocationUrls", [])],
        "workers": state.get("workers", []),
    }
