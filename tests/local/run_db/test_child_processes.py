"""Programs that are started by a process that called leeway.start(), and what they leave behind."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import mlrun
context = mlrun.get_or_create_ctx("program")
context.log_result("answer", 42)
context.log_artifact("words", body=b"written by a child")
"""
SETUP = """
import leeway
def setup(project):
    if leeway.start() == "laptop":
        project.save_to_db()
    return project
"""
PROJECT = """
kind: project
metadata: {name: tests}
spec:
  functions:
    - {name: jobs, url: jobs.py, kind: job, image: mlrun/mlrun, handler: train}
  workflows:
    - {name: main, path: flow.py, handler: pipeline, engine: local}
"""
FLOW = """
import mlrun
def pipeline():
    mlrun.get_current_project().run_function("jobs", params={"rows": 5})
"""


# A file that MLRun runs as a program; in a process of its own, as MLRun leaves the pipes to it open.
STARTS_PROGRAM = """
import leeway
leeway.start()
import mlrun
run = mlrun.new_function("program", project="tests", kind="local", command="program.py").run()
print("run", run.state(), run.outputs["answer"], run.artifact("words").get())
"""


def test_a_job_without_a_handler_keeps_its_results_and_artifacts(project, script, write):
    write("program.py", PROGRAM)
    assert "run completed 42 b'written by a child'" in script(STARTS_PROGRAM)
    assert project.list_artifacts(name="program_words").to_objects()[0].to_dataitem().get() == b"written by a child"


def test_mlruns_own_commands_see_the_runs_and_run_workflows(project, shell, write, home):
    variables = {name: os.environ[name] for name in ("LEEWAY_LAPTOP", "MLRUN_DBPATH", "MLRUN_ARTIFACT_PATH")}
    uid = project.run_function("jobs", params={"rows": 4}).metadata.uid
    assert "jobs-train" in shell("mlrun", "get", "runs", "-p", "tests", **variables)
    assert "rows=4" in shell("mlrun", "logs", uid, "-p", "tests", **variables)
    file = write("project.yaml", PROJECT)
    write("project_setup.py", SETUP)
    write("flow.py", FLOW)
    shell("mlrun", "project", "-r", "main", ".")  # without the variables: project_setup.py calls leeway.start()
    assert project.list_runs()[0]["status"]["results"] == {"rows": 5}
    assert file.read_text() == PROJECT


RUNS = """
import leeway, os, sys
leeway.start()
import mlrun
project = mlrun.new_project("tests", context="./", overwrite=True)
project.set_function("jobs.py", "jobs", kind="job", image="x", handler="train")
project.run_function("jobs")
project.run_function("jobs", hyperparams={"rows": [1, 2]})
"""


def test_no_temporary_file_is_left(project, script, tmp_path):
    (tmp_path / "temporary").mkdir()
    script(RUNS, TMPDIR=str(tmp_path / "temporary"))
    assert list((tmp_path / "temporary").glob("*.json")) == []


WAITING = """
import leeway
leeway.start()
import mlrun
def wait(context):
    print("waiting", flush=True)
    import threading
    threading.Event().wait()
mlrun.new_function("waiter", project="tests").run(handler=wait)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_whose_process_is_gone_is_in_error(project, environ, write, number):
    path = write("waiting.py", WAITING)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, str(path)], cwd=path.parent, env=environ, **pipes) as process:
        assert any("waiting" in line for line in process.stdout)
        assert [run["status"]["state"] for run in project.list_runs(name="waiter-wait")] == ["running"]
        process.send_signal(number)
    (run,) = project.list_runs(name="waiter-wait")
    assert run["status"]["state"] == "error"
    assert "ended before the run did" in run["status"]["error"]
    assert project.list_runs(name="waiter-wait", states=["running"]) == []


BARE = """
import leeway
leeway.start()
import mlrun
mlrun.get_or_create_ctx("bare", project="tests").log_result("a", 1)
"""


def test_a_programs_own_context_ends_as_the_program_does(project, script):
    script(BARE)
    script(BARE.replace("bare", "broken") + "raise ValueError('no such luck')", code=1)
    state = {run["metadata"]["name"]: run["status"] for run in project.list_runs()}
    assert (state["bare"]["state"], state["bare"]["results"]) == ("completed", {"a": 1})
    assert state["broken"]["state"] == "error"
    assert "no such luck" in state["broken"]["error"]
