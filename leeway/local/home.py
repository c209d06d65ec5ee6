"""Where the platform's files lie under LEEWAY_HOME, and how they are written: whole, and for their owner only."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Home:
    """The folders of one LEEWAY_HOME. `path` is absolute."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Home":
        return cls(path.absolute())

    def create(self) -> None:
        """Create what is missing, for its owner only (mode 0700)."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self.functions.mkdir(exist_ok=True)
        self.sockets.mkdir(exist_ok=True)

    @property
    def platform(self) -> Path:
        return self.path / "platform.json"

    @property
    def lock(self) -> Path:
        return self.path / "platform.lock"

    @property
    def log(self) -> Path:
        return self.path / "platform.log"

    @property
    def projects(self) -> Path:
        return self.path / "projects.json"

    @property
    def functions(self) -> Path:
        return self.path / "functions"

    @property
    def sockets(self) -> Path:
        """Control sockets of workers. A Unix socket's path is short, so they are used relative to the home."""
        return self.path / "run"

    def function(self, name: str) -> "FunctionHome":
        return FunctionHome(self.functions / name)

    def deployed(self) -> "list[FunctionHome]":
        """Every function that was ever deployed and not deleted, by name."""
        return [FunctionHome(path.parent) for path in sorted(self.functions.glob("*/document.json"))]


@dataclass(frozen=True)
class FunctionHome:
    """The folder of one function."""

    path: Path

    @property
    def document(self) -> Path:
        """What was asked for last."""
        return self.path / "document.json"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def workers(self) -> Path:
        return self.path / "workers.json"

    def code(self, generation: str) -> Path:
        return self.path / "code" / generation

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def log(self, trigger: str, worker: int) -> Path:
        return self.logs / f"{trigger}-{worker}.log"


def write_json(path: Path, value: Any) -> None:
    """Replace a file as a whole; readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "w") as file:
        json.dump(value, file, indent=1)
    fresh.replace(path)


def read_json(path: Path, default: Any = None) -> Any:
    """What `write_json` wrote; `default` where there is nothing."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return default
