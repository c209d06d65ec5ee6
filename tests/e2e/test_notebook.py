"""`make notebook` opens JupyterLab in the project's root, with the kernel of its own environment."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60

pytestmark = pytest.mark.slow


@pytest.fixture
def jupyter(tmp_path):
    """The URL of what `make notebook` starts; it ends with the test."""
    assert (ROOT / ".venv/installed.lock").exists(), "make would install: run the tests with `make test`"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = f"--no-browser --ip=127.0.0.1 --port={port} --ServerApp.port_retries=0 --IdentityProvider.token=t"
    environ = {**os.environ, "HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            ["make", "notebook", f"ARGS={options}"], cwd=ROOT, env=environ, stdout=log, stderr=log, process_group=0
        )
    try:
        yield f"http://127.0.0.1:{port}", process, tmp_path / "log"
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        _, left = psutil.wait_procs(started, timeout=PATIENCE_S)
        assert left == []


def get(jupyter, path):
    url, process, log = jupyter
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return httpx.get(f"{url}/{path}", headers={"Authorization": "token t"}, timeout=PATIENCE_S).json()
        except httpx.ConnectError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)


def test_jupyterlab_starts_in_the_projects_root_with_its_kernel(jupyter):
    names = {entry["name"] for entry in get(jupyter, "api/contents")["content"]}
    assert {"project.yaml", "README.md", "notebooks", "workflows"} <= names
    kernels = get(jupyter, "api/kernelspecs")
    assert kernels["default"] == "python3"
    assert kernels["kernelspecs"]["python3"]["resources"]["logo-svg"].startswith("/kernelspecs/python3")
