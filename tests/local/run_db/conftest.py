"""MLRun with the laptop behind it: in this process, and in processes of their own, each on a home of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import leeway
from leeway.local import platform
from leeway.settings import Settings

JOB = """
import pandas as pd

def train(context, rows: int = 3, note=""):
    context.logger.info("training")
    print(f"rows={rows}")
    context.log_result("rows", rows)
    context.log_dataset("table", df=pd.DataFrame({"x": range(rows)}), format="csv")
    context.log_model("model", body=f"weights {note} {rows}".encode(), model_file="model.pkl", metrics={"auc": 0.9})

def use(context, table):
    context.log_result("sum", int(table.as_df()["x"].sum()))

def fail(context):
    raise ValueError("no such luck")
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Iterator[Path]:
    """The home that this process uses; a folder of the test's own is the current one."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("LEEWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLRUN_IGNORE_ENV_FILE", "1")
    yield tmp_path / "home"
    platform.down(Settings(home=tmp_path / "home"))


@pytest.fixture
def mlrun(home, monkeypatch):
    """MLRun, started on this home."""
    import mlrun

    monkeypatch.setattr(mlrun.store_manager, "_db", None)  # that of the home before
    assert leeway.start() == "laptop"
    return mlrun


@pytest.fixture
def write(tmp_path) -> Callable[[str, str], Path]:
    """Write a file into the current folder."""

    def file(name: str, text: str) -> Path:
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return file


@pytest.fixture
def project(mlrun, write):
    """A project with one job, `jobs`, that has several handlers."""
    write("jobs.py", JOB)
    project = mlrun.new_project("tests", context="./", overwrite=True)
    project.set_function("jobs.py", "jobs", kind="job", image="mlrun/mlrun", handler="train")
    return project


@pytest.fixture
def environ(home) -> dict[str, str]:
    """For a process of its own: nothing is set but the home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLRUN_", "LEEWAY_", "PYTEST_"))}
    return {**kept, "LEEWAY_HOME": str(home), "MLRUN_IGNORE_ENV_FILE": "1"}


@pytest.fixture
def script(environ, write) -> Callable[..., str]:
    """Run a Python program in the current folder; its output, stderr included. It has to end with `code`."""

    def run(text: str, *arguments: str, code: int = 0, **variables: str) -> str:
        path = write("script.py", text)
        command = [sys.executable, str(path), *arguments]
        return _run(command, {**environ, **variables}, code, path.parent)

    return run


@pytest.fixture
def shell(environ, tmp_path) -> Callable[..., str]:
    """Run a program of the environment (mlrun), likewise."""

    def run(name: str, *arguments: str, code: int = 0, **variables: str) -> str:
        command = [str(Path(sys.executable).parent / name), *arguments]
        return _run(command, {**environ, **variables}, code, tmp_path / "work")

    return run


def _run(command: list[str], environ: dict[str, str], code: int, folder: Path) -> str:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, cwd=folder, env=environ, **pipes)
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout
