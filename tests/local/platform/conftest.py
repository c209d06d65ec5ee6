"""A laptop platform of its own for each test, with real processes; nothing of it is left afterwards."""

import base64
import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from leeway.local import platform
from leeway.settings import Settings

PATIENCE_S = 120.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(address: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """One request on a connection of its own; a dict is sent as JSON."""
    headers = dict(headers or {})
    if isinstance(body, dict):
        body, headers = json.dumps(body).encode(), {"content-type": "application/json", **headers}
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def document(name: str, code: str, **spec: Any) -> dict[str, Any]:
    """A Nuclio function document with this source; `env` is a dict here."""
    env = [{"name": key, "value": value} for key, value in spec.pop("env", {}).items()]
    annotations = spec.pop("annotations", {})
    build = {"functionSourceCode": base64.b64encode(code.encode()).decode(), **spec.pop("build", {})}
    return {
        "metadata": {"name": name, "labels": {"nuclio.io/project-name": "tests"}, "annotations": annotations},
        "spec": {"handler": "main:handler", "runtime": "python:3.11", "env": env, "build": build, **spec},
    }


@dataclass
class Laptop:
    """A home, and the calls that the tests make."""

    home: Path
    started: bool = field(default=False)

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    @property
    def address(self) -> str:
        self.started = True
        return platform.ensure(self.settings).removeprefix("http://")

    def api(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return request(self.address, method, f"/api/{path}", body, headers)

    def deploy(self, name: str, code: str, **spec: Any) -> dict[str, Any]:
        """Deploy and wait; the status."""
        wanted = document(name, code, **spec)
        new = self.api("GET", f"functions/{name}").status == 404
        method, path = ("POST", "functions") if new else ("PUT", f"functions/{name}")
        answer = self.api(method, path, wanted, {"x-nuclio-wait-function-action": "true"})
        assert answer.status == 202, answer
        return self.status(name)

    def status(self, name: str) -> dict[str, Any]:
        return self.api("GET", f"functions/{name}").json["status"]

    def call(self, name: str, path: str = "/", body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        method = "GET" if body is None else "POST"
        return request(self.status(name)["externalInvocationUrls"][0], method, path, body, headers)

    def log(self, name: str) -> str:
        return "".join(path.read_text() for path in sorted((self.home / "functions" / name / "logs").glob("*.log")))

    def until(self, true: Callable[[], Any], what: str) -> Any:
        """Wait for something that processes do in their own time."""
        end = time.monotonic() + PATIENCE_S
        while not (result := true()):
            assert time.monotonic() < end, f"never came: {what}"
            time.sleep(0.01)
        return result

    def kill_platform(self) -> None:
        pid = platform.status(self.settings)["pid"]
        os.kill(pid, signal.SIGKILL)
        self.until(lambda: platform.find(self.settings) is None, "the platform's end")

    def processes(self) -> list[psutil.Process]:
        """Every process that has the home on its command line."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            if process.info["status"] != psutil.STATUS_ZOMBIE and str(self.home) in " ".join(
                process.info["cmdline"] or ()
            ):
                found.append(process)
        return found


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> str:
    """What runs functions: Leeway's own workers. The suite in contract/ has what NUCLIO_PROCESSOR says instead."""
    monkeypatch.delenv("NUCLIO_PROCESSOR", raising=False)
    return "python"


def end(laptop: Laptop) -> None:
    platform.down(laptop.settings)
    _, living = psutil.wait_procs(laptop.processes(), timeout=20)  # a processor of Nuclio's takes its time to end
    assert [process.cmdline() for process in living] == []


@pytest.fixture
def make_laptop(tmp_path: Path) -> Iterator[Callable[[str], Laptop]]:
    made: list[Laptop] = []

    def make(name: str) -> Laptop:
        made.append(Laptop(tmp_path / name))
        return made[-1]

    yield make
    for laptop in made:
        end(laptop)


@pytest.fixture(scope="module")
def shared_laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """One for the tests of a file that only send requests."""
    laptop = Laptop(tmp_path_factory.mktemp("shared") / "home")
    yield laptop
    end(laptop)


@pytest.fixture
def laptop(make_laptop: Callable[[str], Laptop]) -> Laptop:
    return make_laptop("home")


@pytest.fixture
def send() -> Callable[..., Answer]:
    return request


@pytest.fixture
def make_document() -> Callable[..., dict[str, Any]]:
    return document
