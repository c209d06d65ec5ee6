"""A laptop with the model server and the drift function on it, whose processes are killed under a client."""

import base64
import http.client
import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psutil

from leeway.backends import connect
from leeway.forwarder import outboxes
from leeway.interfaces import Message
from leeway.local import platform
from leeway.local.home import read_json
from leeway.settings import Settings
from monitoring.lag import lag_of
from monitoring.queries import Queries

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
STORES = ("stream", "state", "series", "archive")
WATCHING = {"window_rows": 50, "detector_arl0": 200, "range_seconds": 0.2}


@dataclass
class Laptop:
    """`settings` are those of its functions, too; so are the stores that they name."""

    settings: Settings
    stream: str = "kills/elec"

    def deploy(self, name: str, path: str, env: dict[str, str], more: str = "") -> None:
        """A function of the repository, with `more` code at its end."""
        code = base64.b64encode((ROOT / path).read_bytes() + more.encode()).decode()
        annotations = {} if name == "server" else {"leeway/stream-from": "INFERENCE_STREAM"}
        env = {"MLRUN_DEFAULT_PROJECT": "kills", "INFERENCE_STREAM": self.stream, **self._stores(), **env}
        document = {
            "metadata": {"name": name, "labels": {"nuclio.io/project-name": "kills"}, "annotations": annotations},
            "spec": {
                "handler": "main:handler", "runtime": "python:3.11", "build": {"functionSourceCode": code},
                "env": [{"name": key, "value": value} for key, value in env.items()],
            },
        }  # fmt: skip
        wait = {"x-nuclio-wait-function-action": "true"}
        address = platform.ensure(self.settings).removeprefix("http://")
        client = Client(address)
        answer = client.send("POST", "/api/functions", document, wait)
        status = json.loads(client.send("GET", f"/api/functions/{name}")[1])["status"]
        client.close()
        assert status["state"] == "ready", (answer, status["message"], status["logs"])

    def address(self, name: str) -> str:
        """Where a function listens: another port, where its own was taken while neither worker nor supervisor lived."""
        return f"127.0.0.1:{read_json(self.settings.home / 'functions' / name / 'state.json')['open'][0]}"

    def drain(self) -> None:
        """Everything that was kept comes into the stream, and out of it into the stores; then everything ends."""
        platform.down(self.settings)
        assert outboxes(self.settings.home / "outbox" / "kills" / "server") == []
        platform.ensure(self.settings)
        with Queries(self.settings) as queries:
            until(lambda: lag_of(self.stream, self.settings, queries).waiting == 0, "the end of the stream")
        platform.down(self.settings)

    def messages(self) -> list[Message]:
        stream = connect.stream(self.stream, self.settings)
        try:
            return stream.read(0, 0, 1 << 40)
        finally:
            stream.close()

    def kill(self, which: str) -> bool:
        """End one process with -9: the supervisor, or a worker of a function. Whether there was one."""
        found = [p for p in psutil.process_iter(["cmdline"]) if self._is(p.info["cmdline"] or [], which)]
        for process in found[:1]:
            process.send_signal(signal.SIGKILL)
            psutil.wait_procs([process], PATIENCE_S)
        return bool(found)

    def _stores(self) -> dict[str, str]:
        stores = {f"LEEWAY_{kind.upper()}": getattr(self.settings, kind) for kind in STORES}
        return {name: url for name, url in stores.items() if url}

    def _is(self, command: list[str], which: str) -> bool:
        text = " ".join(command)
        if str(self.settings.home) not in text:
            return False
        if which == "supervisor":
            return "leeway.local.supervisor" in text
        if "processor.yaml" in text:  # where Nuclio's processor runs the functions
            return f"/functions/{which}/" in text
        return "leeway.local.worker" in text and f'"function": "{which}"' in text.replace('":"', '": "')


@dataclass
class Client:
    """One connection, made anew after it broke; nothing is sent twice."""

    address: str
    connection: http.client.HTTPConnection | None = None

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """(status, body); (0, why) where there was no answer."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"content-type": "application/json", **(headers or {})}
        try:
            self.connection = self.connection or http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
            self.connection.request(method, path, data, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return 0, repr(error).encode()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Replay(threading.Thread):
    """Asks and tells, one request after the other, until it is stopped; `answered` and `told` came back with 200."""

    def __init__(self, locate: Callable[[], str], seed: int):
        super().__init__()
        self.answered: list[str] = []
        self.told: list[str] = []
        self.statuses: set[int] = set()
        self._locate, self._client = locate, Client(locate())
        self._random, self._end = Random(seed), threading.Event()

    def run(self) -> None:
        number = 0
        while not self._end.wait(0.002):
            number += 1
            moved = number > 800
            row = [self._random.random(), self._random.random() + 3 * moved, self._random.random()]
            id = f"r{number}"
            if self._send("/a/predict", {"id": id, "instances": [row]}):
                self.answered.append(id)
            truth = int(row[0] > 0.5) ^ (self._random.random() < (0.5 if moved else 0.1))
            if self._send("/a/feedback", {"id": id, "truth": [truth]}):
                self.told.append(id)
        self._client.close()

    def stop(self) -> None:
        self._end.set()
        self.join()

    def _send(self, path: str, body: Any) -> bool:
        status, _ = self._client.send("POST", path, body)
        self.statuses.add(status)
        if not status:
            self._client.address = self._locate()
        return status == 200


def until(true: Any, what: str) -> None:
    """Wait for something that processes do in their own time."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)
