"""One of the servers that are compared: how it is started and asked."""

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from leeway.local import platform
from leeway.settings import Settings

ROOT = Path(__file__).parents[3]
PEERS = ROOT / "build/peers"
PATIENCE_S = 120.0
BARE = """
ANSWER = b'{"outputs": [0]}'
def handler(context, event):
    return context.Response(body=ANSWER, content_type="application/json", status_code=200)
"""


class Server(ABC):
    """`models` maps a name to its file; `home` is a folder of its own."""

    name: str

    def __init__(self, models: Mapping[str, Path], home: Path):
        self.models, self.home = models, home
        home.mkdir(exist_ok=True)

    @contextlib.contextmanager
    @abstractmethod
    def running(self) -> Iterator[int]:
        """Its port, while it runs and is ready."""

    @abstractmethod
    def request(self, model: str, rows: list) -> tuple[str, str]:
        """(path, body)"""

    def answer(self, body: bytes) -> list:
        """The labels in its answer."""
        return json.loads(body)["outputs"]


class OpenInferenceServer(Server):
    def request(self, model: str, rows: list) -> tuple[str, str]:
        flat = [value for row in rows for value in row]
        tensor = {"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": flat}
        return f"/v2/models/{model}/infer", json.dumps({"inputs": [tensor]})

    def answer(self, body: bytes) -> list:
        return json.loads(body)["outputs"][0]["data"]


class Leeway(OpenInferenceServer):
    """One worker on the laptop's host, every answer recorded, compiled models."""

    name = "leeway"
    code = (ROOT / "functions/model_server/model_server.py").read_text()

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        settings = Settings(home=self.home / "home")
        try:
            port = _deploy(platform.ensure(settings), self.code, self._env())
            self._ready(port)
            yield port
        finally:
            platform.down(settings)

    def _env(self) -> dict[str, str]:
        served = {f"SERVING_MODEL_{name}": str(path) for name, path in self.models.items()}
        return {**served, "INFERENCE_STREAM": "users/bench", "LEEWAY_COMPILE_AFTER_S": "0"}

    def _ready(self, port: int) -> None:
        for name in self.models:
            wait(lambda name=name: json.loads(ask(port, "GET", f"/v2/models/{name}"))["engine"] != "native")

    def check(self, port: int) -> None:
        """AssertionError where a record was dropped."""
        text = ask(port, "GET", "/metrics").decode()
        assert "records_dropped_total{" not in text, text


class BareHost(Leeway):
    """The same host with a handler that does nothing."""

    name, code = "bare host", BARE

    def _ready(self, port: int) -> None:
        pass

    def check(self, port: int) -> None:
        pass

    def answer(self, body: bytes) -> list:
        return []


class Program(Server):
    """A server in an environment of its own."""

    @abstractmethod
    def command(self, port: int) -> list[str]:
        """What starts it."""

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        port = free_port()
        env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with (self.home / "log").open("w") as log:
            process = subprocess.Popen(
                self.command(port), env=env, stdout=log, stderr=log, cwd=self.home, start_new_session=True
            )
        try:
            for name in self.models:
                path, body = self.request(name, [[0.5] * (4 if name == "a" else 10)])
                wait(lambda path=path, body=body: ask(port, "POST", path, body))
            yield port
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class MlServer(Program, OpenInferenceServer):
    name, batch = "mlserver", 0

    def command(self, port: int) -> list[str]:
        ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
        settings = {"debug": False, "host": "127.0.0.1", "parallel_workers": 0, **ports}
        (self.home / "settings.json").write_text(json.dumps(settings))
        for name, path in self.models.items():
            (self.home / name).mkdir(exist_ok=True)
            model: dict[str, Any] = {
                "name": name,
                "implementation": "mlserver_sklearn.SKLearnModel",
                "parameters": {"uri": str(path)},
            }
            model |= {"max_batch_size": self.batch, "max_batch_time": 0.002} if self.batch else {}
            (self.home / name / "model-settings.json").write_text(json.dumps(model))
        return [str(PEERS / "mlserver/bin/mlserver"), "start", str(self.home)]


class MlServerBatching(MlServer):
    name, batch = "mlserver, batching", 64


class LitServe(Program):
    name, batch = "litserve", 1

    def command(self, port: int) -> list[str]:
        folder = next(iter(self.models.values())).parent
        program = str(Path(__file__).with_name("litserve_server.py"))
        return [str(PEERS / "litserve/bin/python"), program, str(folder), str(port), str(self.batch)]

    def request(self, model: str, rows: list) -> tuple[str, str]:
        return "/predict", json.dumps({"model": model, "inputs": rows})


class LitServeBatching(LitServe):
    name, batch = "litserve, batching", 64


def ask(port: int, method: str, path: str, body: str = "") -> bytes:
    """The body of an answer; OSError where it is not 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body or None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise OSError(f"{answer.status}: {said[:200]!r}")
        return said
    finally:
        connection.close()


def wait(is_so) -> None:
    """Until it is, and raises nothing; TimeoutError where that takes too long."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if is_so():
                return
        time.sleep(0.1)
    raise TimeoutError("the server does not get ready; its log is in its folder")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _deploy(address: str, code: str, env: Mapping[str, str]) -> int:
    """The port of a function on the laptop's platform."""
    at = address.removeprefix("http://")
    document = {
        "metadata": {"name": "bench", "labels": {"nuclio.io/project-name": "bench"}},
        "spec": {
            "handler": "main:handler",
            "runtime": "python:3.11",
            "env": [{"name": key, "value": value} for key, value in env.items()],
            "build": {"functionSourceCode": base64.b64encode(code.encode()).decode()},
            "triggers": {"http": {"kind": "http", "numWorkers": 1}},
        },
    }
    port = int(at.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"content-type": "application/json", "x-nuclio-wait-function-action": "true"}
    connection.request("POST", "/api/functions", json.dumps(document), headers)
    assert connection.getresponse().read() is not None
    connection.close()
    status = json.loads(ask(port, "GET", "/api/functions/bench"))["status"]
    assert status["state"] == "ready", status
    return int(status["externalInvocationUrls"][0].rpartition(":")[2])
