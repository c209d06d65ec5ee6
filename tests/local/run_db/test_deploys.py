"""Deploying MLRun functions: nothing but MLRun's own calls, and the platform behind them."""

from pathlib import Path

import nbformat
import pytest
import requests
from mlrun.errors import MLRunBadRequestError
from mlrun.runtimes.base import RunError

from leeway.local import platform
from leeway.model_hash import model_hash
from leeway.settings import Settings

pytestmark = pytest.mark.slow

ECHO = """
import json
import os
import sys

def handler(context, event):
    body = event.body.decode() if isinstance(event.body, bytes) else event.body
    env = {name: value for name, value in os.environ.items() if name.startswith(("GREETING", "SERVING_", "MLRUN_"))}
    answer = {"path": event.path, "body": body, "env": env, "mlrun": "mlrun" in sys.modules}
    return context.Response(body=json.dumps(answer), content_type="application/json")
"""


@pytest.fixture
def echo(project, write):
    write("echo.py", ECHO)
    return project.set_function("echo.py", "echo", kind="nuclio", image="mlrun/mlrun", handler="echo:handler")


def test_deploy_invoke_and_deploy_again(project, mlrun, echo, script):
    echo.set_envs({"GREETING": "hello"})
    deployed = project.deploy_function(echo)
    assert deployed.state == "ready"
    assert deployed.function.status.nuclio_name == "tests-echo"
    answer = echo.invoke("/some/path", body={"a": 1})
    assert (answer["path"], answer["body"], answer["env"]["GREETING"]) == ("/some/path", {"a": 1}, "hello")
    assert answer["mlrun"] is False and "MLRUN_AUTH_SESSION" not in answer["env"]
    echo.set_envs({"GREETING": "again"})
    address = echo.deploy()
    assert requests.get(address, timeout=60).json()["env"]["GREETING"] == "again"
    assert {
        one["metadata"]["name"]: one["status"]["state"]
        for one in mlrun.get_run_db().list_functions(project="tests", kind="remote")
    } == {"echo": "ready"}
    assert mlrun.import_function("db://tests/echo").invoke("/db")["path"] == "/db"
    project.save()
    out = script(
        "import leeway, mlrun\nleeway.start()\np = mlrun.load_project('./')\n"
        "print(p.get_function('echo').invoke('/elsewhere')['path'])"
    )
    assert "/elsewhere" in out


def test_a_function_that_cannot_start_says_why(project, mlrun, write, capsys):
    write("broken.py", "import no_such_module\n")
    function = project.set_function("broken.py", "broken", kind="nuclio", image="x", handler="broken:handler")
    with pytest.raises(RunError, match="broken deployment failed"):
        function.deploy()
    assert "No module named 'no_such_module'" in capsys.readouterr().out
    (kept,) = mlrun.get_run_db().list_functions(project="tests", name="broken")
    assert kept["status"]["state"] == "error"
    assert "no_such_module" in kept["status"]["message"]
    write("broken.py", "def handler(context, event):\n    return 'mended'\n")
    function = project.set_function("broken.py", "broken", kind="nuclio", image="x", handler="broken:handler")
    project.deploy_function(function)
    assert function.invoke("/") == b"mended"
    assert "no_such_module" not in capsys.readouterr().out


def test_a_deploy_need_not_be_waited_for(echo):
    echo.deploy(wait=False)
    assert echo.wait_for_deployment() == f"http://{echo.status.address}"


def test_a_model_is_resolved_when_it_is_deployed_and_the_function_keeps_its_uri(project, echo):
    run = project.run_function("jobs")
    uri, variable = run.outputs["model"], "SERVING_MODEL_mine"
    echo.set_envs({variable: uri, "SERVING_MODEL_file": "/some/model.pkl"})
    project.deploy_function(echo)
    env = echo.invoke("/")["env"]
    folder = run.artifact("model").meta.target_path
    assert Path(env[variable]) == Path(folder)
    assert env["SERVING_MODEL_HASH_mine"] == model_hash(Path(folder))
    assert env["SERVING_MODEL_file"] == "/some/model.pkl"
    assert "SERVING_MODEL_HASH_file" not in env
    assert echo.get_env(variable) == uri
    assert echo.get_env("SERVING_MODEL_HASH_mine") is None
    assert project.get_function("echo").get_env(variable) == uri


def test_a_uri_that_leads_nowhere_is_named(project, mlrun, echo):
    echo.set_envs({"SERVING_MODEL_mine": "store://models/tests/gone"})
    with pytest.raises(RunError, match="SERVING_MODEL_mine=store://models/tests/gone cannot be resolved"):
        project.deploy_function(echo)
    (kept,) = mlrun.get_run_db().list_functions(project="tests", name="echo")
    assert "store://models/tests/gone" in kept["status"]["message"]


def test_code_need_not_be_embedded(project, write):
    write("pkg/__init__.py", "")
    write("pkg/answers.py", "WHAT = 'from the folder'\n")
    write("pkg/served.py", "from pkg.answers import WHAT\ndef handler(context, event):\n    return WHAT\n")
    project.set_source("./", pull_at_runtime=True)
    function = project.set_function(name="repo", kind="nuclio", image="x", handler="pkg.served:handler", with_repo=True)
    project.deploy_function(function)
    assert function.invoke("/") == b"from the folder"


def test_a_notebook_is_deployed(project, mlrun, tmp_path):
    cell = nbformat.v4.new_code_cell("def handler(context, event):\n    return 'from a notebook'\n")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "note.ipynb")
    function = mlrun.code_to_function("note", project="tests", filename="note.ipynb", kind="nuclio", image="x")
    function.deploy()
    assert function.invoke("/") == b"from a notebook"


def test_triggers_and_workers_are_those_that_were_asked_for(project, mlrun, echo):
    echo.with_http(workers=2)
    project.deploy_function(echo)
    assert echo.invoke("/")["path"] == "/"
    echo.add_v3io_stream_trigger("users/admin/x", name="reader")
    project.deploy_function(echo)
    about = platform.status(Settings.read())["functions"]["tests-echo"]
    assert sorted(worker["trigger"] for worker in about["workers"]) == ["http", "http", "reader"]


def test_our_drift_function_gets_its_stream_from_the_repo_as_from_the_hub(project, mlrun):
    path = Path(__file__).parents[3] / "functions" / "concept_drift" / "concept_drift.py"
    function = mlrun.code_to_function(
        "drift", project="tests", filename=str(path), kind="nuclio", image="x", handler="concept_drift:handler"
    )
    function.set_envs({"INFERENCE_STREAM": "users/admin/elec"})
    function.deploy()
    assert function.invoke("/")["incidents"] == []
    workers = platform.status(Settings.read())["functions"]["tests-drift"]["workers"]
    assert sorted(worker["trigger"] for worker in workers) == ["default-http", "stream"]


def test_a_deployed_function_ends_with_its_project(project, mlrun, echo):
    project.save()
    project.deploy_function(echo)
    db, address = mlrun.get_run_db(), echo.status.address
    with pytest.raises(mlrun.errors.MLRunPreconditionFailedError, match="tests-echo"):
        db.delete_project("tests")
    db.delete_project("tests", deletion_strategy="cascade")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{address}", timeout=60)


def test_what_is_no_nuclio_function_is_refused(project, mlrun):
    application = mlrun.new_function("app", project="tests", kind="application", image="x")
    with pytest.raises(MLRunBadRequestError, match=r"kind 'application'.*MLRUN_DBPATH"):
        application.deploy()


def test_a_kubernetes_secret_is_refused(project, echo, capsys):
    echo.set_env_from_secret("PASSWORD", secret="s", secret_key="k")
    with pytest.raises(RunError):
        project.deploy_function(echo)
    assert "PASSWORD comes from a Kubernetes secret" in capsys.readouterr().out
