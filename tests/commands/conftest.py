"""The command `leeway`, run in this process on a home of its own; what it starts is stopped after the test."""

import base64
import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from leeway.cli import main
from leeway.local import platform
from leeway.settings import Settings

ECHO = """
import json

def handler(context, event):
    context.logger.info(f"got {event.method} {event.path}")
    body = event.body.decode() if isinstance(event.body, bytes) else event.body
    if event.path == "/fail":
        return context.Response(body='{"error": "told to fail"}', status_code=422, content_type="application/json")
    answer = json.dumps({"path": event.path, "method": event.method, "body": body})
    return context.Response(body=answer, content_type="application/json", headers={"x-request-id": "one"})
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEEWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLRUN_IGNORE_ENV_FILE", "")
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "home"
    platform.down(Settings(home=tmp_path / "home"))


@pytest.fixture
def leeway(home):
    """Run `leeway ARGUMENTS`; the result has exit_code, stdout and stderr."""

    def run(*arguments, **given):
        return CliRunner().invoke(main, [str(argument) for argument in arguments], **given)

    return run


@pytest.fixture
def deploy(home):
    """Deploy a Nuclio function from its source; its full name."""

    def put(name="echo", code=ECHO, project="tests", env=()):
        url = platform.ensure(Settings(home=home))
        document = {
            "metadata": {"name": f"{project}-{name}", "labels": {"nuclio.io/project-name": project}},
            "spec": {
                "handler": "main:handler",
                "env": [{"name": key, "value": value} for key, value in dict(env).items()],
                "build": {"functionSourceCode": base64.b64encode(code.encode()).decode()},
            },
        }
        headers = {"x-nuclio-wait-function-action": "true"}
        answer = httpx.post(f"{url}/api/functions", json=document, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text
        return document["metadata"]["name"]

    return put


@pytest.fixture
def ok():
    """The JSON that a command printed; it must have gone well."""

    def parsed(result):
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return parsed


@pytest.fixture
def write(tmp_path):
    def file(name, text) -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return file
