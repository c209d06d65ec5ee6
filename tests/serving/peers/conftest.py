"""Clients of others, each in an environment of its own (prepare.sh), against functions on the laptop's platform.

Where the environments were not prepared, the modules that need one are deselected and it is said; a build server
prepares them, and there what is missing fails.
"""

import base64
import http.client
import json
import os
import pickle
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from leeway.local import platform
from leeway.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PEERS = ROOT / "build/peers"
CODE = (ROOT / "functions/model_server/model_server.py").read_text()
EXPLAINING = """

class Explaining:
    features = ["a", "b"]
    def predict(self, rows):
        return [float(sum(row)) for row in rows]
    def explain(self, rows):
        return {"outputs": [{"values": row} for row in rows]}
"""
NEEDED = {
    "test_clients.py": ("seldon", "kserve", "inference", "schemathesis"),
    "test_tensorflow.py": ("tensorflow",),
}
TOKEN = "a-token-of-the-tests"


def pytest_collection_modifyitems(config, items):
    if os.environ.get("CI") == "true":
        return
    lacking = [HERE / name for name, needed in NEEDED.items() if not all((PEERS / each).is_dir() for each in needed)]
    ours = [item for item in items if item.path in lacking]
    items[:] = [item for item in items if item.path not in lacking]
    if ours:
        config.hook.pytest_deselected(items=ours)
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"clients of others are not prepared here: run {HERE.relative_to(ROOT)}/prepare.sh")


@dataclass(frozen=True)
class Peer:
    """Runs programs of one environment."""

    name: str

    def run(self, *command: str, timeout_s: float = 200) -> subprocess.CompletedProcess:
        """`command` begins with a program of the environment; its output is in the answer."""
        program = PEERS / self.name / "bin" / command[0]
        env = {"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONWARNINGS": "ignore"}
        return subprocess.run(
            [str(program), *command[1:]],
            cwd=PEERS,
            env=env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


@pytest.fixture(scope="session")
def peer():
    return Peer


@pytest.fixture(scope="session")
def deployed(tmp_path_factory):
    """{name: address} of three functions: `linear` with one scikit-learn model m of the columns a and b, `own` with a
    class that explains, `closed`, which asks for TOKEN."""
    folder = tmp_path_factory.mktemp("peers")
    model = LogisticRegression().fit([[0, 0], [0, 1], [1, 0], [1, 2]], [0, 0, 1, 1])
    (folder / "m.pkl").write_bytes(pickle.dumps(model))
    settings = Settings(home=folder / "home")
    address = platform.ensure(settings).removeprefix("http://")
    served = {"SERVING_MODEL_m": str(folder / "m.pkl"), "INFERENCE_STREAM": "users/peers"}
    functions = {
        "linear": (_packed(CODE), served),
        "own": (_packed(CODE + EXPLAINING), {"SERVING_MODEL_m": "", "MODEL_CLASS": "Explaining"}),
        "closed": (_packed(CODE), {**served, "SERVING_TOKENS": TOKEN, "SERVING_CORS_ORIGINS": "http://pages.test"}),
    }
    try:
        yield {name: deploy(address, f"peers-{name}", *known) for name, known in functions.items()}
    finally:
        platform.down(settings)


def _packed(code: str) -> str:
    return base64.b64encode(code.encode()).decode()


def deploy(platform_address: str, name: str, code: str, env: dict[str, str]) -> str:
    """The address at which it answers. `code` is base64, as functionSourceCode."""
    document = {
        "metadata": {"name": name, "labels": {"nuclio.io/project-name": "peers"}},
        "spec": {
            "handler": "main:handler",
            "runtime": "python:3.11",
            "env": [{"name": key, "value": value} for key, value in env.items()],
            "build": {"functionSourceCode": code},
            "triggers": {"http": {"kind": "http"}},
        },
    }
    _call(platform_address, "POST", "/api/functions", document)
    status = _call(platform_address, "GET", f"/api/functions/{name}")["status"]
    assert status["state"] == "ready", status
    return status["externalInvocationUrls"][0]


def _call(address: str, method: str, path: str, body: object = None) -> dict:
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        headers = {"content-type": "application/json", "x-nuclio-wait-function-action": "true"}
        connection.request(method, path, json.dumps(body).encode() if body is not None else None, headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status < 300, said
        return json.loads(said) if said else {}
    finally:
        connection.close()
