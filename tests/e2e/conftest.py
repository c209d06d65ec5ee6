"""The command `leeway` in processes of its own, on a home of its own; nothing of it is left afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright
from sklearn.linear_model import LogisticRegression

from leeway.settings import Settings
from leeway.traffic.client import Client
from monitoring.lag import lag_of
from monitoring.queries import Queries
from tests.until import until

ROOT = Path(__file__).parents[2]


class Laptop:
    """One LEEWAY_HOME, and the commands that are given there."""

    def __init__(self, home: Path):
        self.home, self.cwd = home, ROOT
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MLRUN_", "LEEWAY_"))},
            "LEEWAY_HOME": str(home),
            "MLRUN_IGNORE_ENV_FILE": "1",
        }

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    @property
    def summary(self) -> dict[str, Any]:
        """What the last demo left."""
        return json.loads((self.home / "demo" / "summary.json").read_text())

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen:
        command = [sys.executable, "-m", "leeway", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.cwd, env=self.environ, **pipes, **options)

    def run(self, *arguments: str) -> str:
        """The output of a command that has to succeed."""
        process = self.start(*arguments)
        out, err = process.communicate()
        assert process.returncode == 0, f"leeway {' '.join(arguments)}: {process.returncode}\n{out}\n{err}"
        return out

    def script(self, code: str) -> str:
        """The output of a Python program that runs in the project's root."""
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=self.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def interrupt_at(self, line: str, *arguments: str) -> tuple[int, str]:
        """Ctrl-C when a command shows a line that begins so; its exit code and what it showed."""
        process = self.start(*arguments, start_new_session=True)
        shown = []
        for text in process.stderr:
            shown.append(text)
            if text.startswith(line):
                os.killpg(process.pid, signal.SIGINT)
        process.communicate()
        return process.returncode, "".join(shown)

    def processes(self) -> list[str]:
        """The command lines of those processes that belong to this home."""
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if _belongs(process, self.home)]


def _belongs(process: psutil.Process, home: Path) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get("LEEWAY_HOME") == str(home)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    yield from _laptop(tmp_path / "home")


@pytest.fixture(scope="module")
def shared_laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """One for all tests of a file."""
    yield from _laptop(tmp_path_factory.mktemp("shared") / "home")


def _laptop(home: Path) -> Iterator[Laptop]:
    laptop = Laptop(home)
    try:
        yield laptop
    finally:
        laptop.run("down")
    assert laptop.processes() == []


@pytest.fixture
def unchanged() -> Callable[[], None]:
    """Call it to see that the checkout's project.yaml is what it was."""
    before = (ROOT / "project.yaml").read_bytes()

    def check() -> None:
        assert (ROOT / "project.yaml").read_bytes() == before

    return check


@dataclass
class Mill:
    """A model that is served and watched; from row 1,000 on one feature is far away, half of the answers are wrong."""

    laptop: Laptop
    address: str
    stream: str
    rows: int = 2_000
    drift_from: int = 1_000
    sent: int = 0

    def send(self, last: int | None = None) -> None:
        """The rows up to that one (or all) that were not sent yet, each with its truth after it."""
        draw = np.random.default_rng(self.sent)
        last = self.rows if last is None else last
        with Client(self.address) as client:
            for i in range(self.sent, last):
                far, wrong = (4.0, 0.5) if i >= self.drift_from else (0.0, 0.1)
                row = [float(draw.normal()), float(draw.normal() + far), float(draw.normal())]
                truth = int((row[0] > 0) ^ (draw.random() < wrong))
                assert client.post("/mill/predict", {"id": f"row-{i}", "instances": [row]}).is_ok
                assert client.post("/mill/feedback", {"id": f"row-{i}", "truth": [truth]}).is_ok
        self.sent = max(self.sent, last)

    def settle(self) -> None:
        """Wait until all that was sent is consumed."""
        with Queries(self.laptop.settings) as queries:
            until(
                lambda: lag_of(self.stream, self.laptop.settings, queries).consumed >= 2 * self.sent,
                "all of the stream",
            )


@pytest.fixture(scope="session")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """Deployed, for all files."""
    for laptop in _laptop(tmp_path_factory.mktemp("mill") / "home"):
        yield _deployed(laptop, tmp_path_factory.mktemp("model"))


def _deployed(laptop: Laptop, folder: Path) -> Mill:
    draw = np.random.default_rng(1)
    table = pd.DataFrame(draw.normal(size=(3_000, 3)), columns=["speed", "load", "heat"])
    table["y"] = ((table["speed"] > 0) ^ (draw.random(3_000) < 0.1)).astype(int)
    joblib.dump(LogisticRegression().fit(table[["speed", "load", "heat"]], table["y"]), folder / "mill.pkl")
    table.to_parquet(folder / "held_out.parquet")
    reference = ("--reference", str(folder / "held_out.parquet"), "--label", "y", "--json")
    deployed = json.loads(laptop.run("deploy", str(folder / "mill.pkl"), *reference))
    return Mill(laptop, deployed["url"], deployed["stream"])


_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "these tests look at pages in Debian's browser: apt-get install chromium fonts-dejavu-core"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()
