"""Where the project cannot be installed, `make` says so in one line that names the cure."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("cat", "cmp", "cp", "dirname", "env", "grep", "make", "mkdir", "pwd", "rm", "sh", "tail", "uname")

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout():
    """What the installation reads, in a folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        for name in ("Makefile", "pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / name, root)
        shutil.copytree(ROOT / ".ci", root / ".ci")
        yield root


@pytest.fixture
def tools(tmp_path):
    """A folder for PATH with what the installation calls, and no Python."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    return tmp_path


def make_demo(checkout, path=None, user=None, **environ):
    given = {**os.environ, **environ}
    if path is not None:
        given["PATH"] = str(path)
    command = [shutil.which("make"), "demo"]
    return subprocess.run(command, cwd=checkout, env=given, user=user, capture_output=True, text=True)


def test_without_python_3_11(checkout, tools):
    result = make_demo(checkout, tools)
    assert result.returncode != 0
    assert result.stderr.count("\n") == 1
    assert "no python3.11 (3.11.5 or later, with venv) was found: install it" in result.stderr
    assert "make PYTHON=" in result.stderr


def test_a_python_that_is_too_new_or_broken_is_not_taken(checkout, tools):
    for name in ("python3", "python3.11"):
        (tools / name).write_text("#!/bin/sh\nexit 1\n")
        (tools / name).chmod(0o755)
    assert "no python3.11" in make_demo(checkout, tools).stderr


def test_on_another_system(checkout, tools):
    (tools / "uname").unlink()
    (tools / "uname").write_text("#!/bin/sh\necho MINGW64_NT-10.0\n")
    (tools / "uname").chmod(0o755)
    result = make_demo(checkout, tools)
    assert result.returncode != 0
    assert result.stderr.count("\n") == 1
    assert "MINGW64_NT-10.0 is not supported: use Linux or macOS" in result.stderr


def test_in_a_folder_that_cannot_be_written(checkout):
    checkout.chmod(0o555)
    result = make_demo(checkout, user=65534 if os.geteuid() == 0 else None)
    checkout.chmod(0o755)
    assert result.returncode != 0
    assert result.stderr.count("\n") == 1
    assert f"{checkout} cannot be written: give yourself write access" in result.stderr


def test_without_a_network(checkout):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null"}
    environ = {f"{prefix}_{key}": "" for prefix in ("PIP", "UV") for key in ("FIND_LINKS", "EXTRA_INDEX_URL")}
    result = make_demo(checkout, **environ, **nowhere)
    assert result.returncode != 0
    *progress, last = result.stderr.splitlines()
    assert all(line.startswith("leeway: ") for line in progress)
    assert "the packages cannot be fetched, the package index does not answer: check the network" in last
    assert (checkout / ".venv/install.log").stat().st_size > 0
    assert not (checkout / ".venv/installed.lock").exists()
