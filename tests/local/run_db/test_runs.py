"""Runs, as MLRun's users start them and look at them."""

import pytest
from mlrun.errors import MLRunConflictError, MLRunNotFoundError
from mlrun.runtimes.base import RunError


def test_a_run_has_outputs_artifacts_and_a_log(project, capsys):
    run = project.run_function("jobs", params={"rows": 4})
    assert run.state() == "completed"
    assert run.outputs["rows"] == run.output("rows") == 4
    assert run.outputs["table"].startswith("store://datasets/tests/jobs-train_table:latest@" + run.metadata.uid)
    assert run.artifact("table").as_df()["x"].tolist() == [0, 1, 2, 3]
    capsys.readouterr()
    assert run.logs(watch=False)[0] == "completed"
    assert "rows=4" in capsys.readouterr().out


def test_a_run_that_fails_raises_and_stays_to_be_looked_at(project):
    with pytest.raises(RunError, match="no such luck"):
        project.run_function("jobs", handler="fail")
    (run,) = project.list_runs(states=["error"])
    assert "no such luck" in run["status"]["error"]
    assert project.list_runs(name="jobs-fail")[0]["metadata"]["uid"] == run["metadata"]["uid"]


def test_a_handler_or_an_input_that_is_not_there_is_named(project):
    with pytest.raises(RunError, match="nowhere"):
        project.run_function("jobs", handler="nowhere")
    with pytest.raises((RunError, MLRunNotFoundError), match=r"gone\.csv"):
        project.run_function("jobs", handler="use", inputs={"table": "gone.csv"})


def test_a_functions_own_run_is_kept_like_a_projects(project):
    run = project.get_function("jobs").run(local=True, handler="train", params={"rows": 2}, name="mine")
    assert run.outputs["rows"] == 2
    assert project.list_runs(name="mine")[0]["status"]["results"]["rows"] == 2


def test_the_output_of_one_run_is_the_input_of_the_next(project):
    made = project.run_function("jobs", params={"rows": 4})
    assert project.run_function("jobs", handler="use", inputs={"table": made.outputs["table"]}).outputs["sum"] == 6


def test_runs_are_listed_by_name_label_state_and_uid(project):
    first = project.run_function("jobs", params={"rows": 1}, labels={"team": "red"})
    second = project.run_function("jobs", name="other", params={"rows": 2}, labels={"team": "blue", "new": "1"})

    def uids(**given):
        return [run["metadata"]["uid"] for run in project.list_runs(**given)]

    assert uids() == [second.metadata.uid, first.metadata.uid]
    assert uids(name="~THER") == uids(labels="team=blue") == uids(labels=["new"]) == [second.metadata.uid]
    assert uids(labels={"team": None}, states=["completed"]) == uids()
    assert uids(states=["error"]) == uids(name="oth") == []
    assert uids(uid=[first.metadata.uid]) == [first.metadata.uid]
    assert uids(start_time_from=second.status.start_time) == [second.metadata.uid]


def test_hyper_parameters_make_one_run_with_iterations(project, mlrun):
    task = mlrun.new_task(handler="train").with_hyper_params({"rows": [1, 3, 2]}, selector="max.rows")
    run = project.run_function("jobs", handler="train", hyperparams={"rows": [1, 3, 2]}, selector="max.rows")
    assert task.spec.hyperparams == run.spec.hyperparams
    assert run.outputs["best_iteration"] == 2
    assert run.outputs["rows"] == 3
    assert len(project.list_runs(name="jobs-train", iter=True)) == 4
    assert mlrun.get_dataitem(run.outputs["table"]).as_df()["x"].tolist() == [0, 1, 2]


def test_notifications_of_a_run_are_pushed(project, mlrun, capsys):
    told = mlrun.model.Notification(kind="console", name="told", message="it is done", when=["completed"])
    project.run_function("jobs", notifications=[told])
    assert "it is done" in capsys.readouterr().out


def test_a_run_can_be_deleted_and_is_then_not_found(project, mlrun):
    run, db = project.run_function("jobs"), mlrun.get_run_db()
    with pytest.raises(MLRunConflictError, match="ended already"):
        db.abort_run(run.metadata.uid, "tests")
    db.del_run(run.metadata.uid, "tests")
    with pytest.raises(MLRunNotFoundError, match=run.metadata.uid):
        db.read_run(run.metadata.uid, "tests")
    project.run_function("jobs")
    db.del_runs(project="tests", name="jobs-train")
    assert project.list_runs() == []


def test_a_run_of_this_process_cannot_be_aborted_from_here(project, mlrun):
    db = mlrun.get_run_db()
    db.store_run({"metadata": {"uid": "u", "project": "tests"}, "status": {"state": "running"}}, "u", "tests")
    with pytest.raises(MLRunConflictError, match="goes on in process"):
        db.abort_run("u", "tests")
    assert db.read_run("u", "tests")["status"]["state"] == "running"


WORKFLOW = """
import mlrun
def pipeline(bad=False):
    project = mlrun.get_current_project()
    made = project.run_function("jobs", handler="fail" if bad else "train", params={} if bad else {"rows": 3})
    project.run_function("jobs", name="last", handler="use", inputs={"table": made.outputs["table"]})
"""


def test_a_workflow_ends_as_its_steps_did(project, write):
    write("flow.py", WORKFLOW)
    project.set_workflow("main", "flow.py", handler="pipeline")
    good = project.run("main", engine="local")
    assert good.exc is None
    assert project.list_runs(name="last", labels=[f"workflow={good.run_id}"])[0]["status"]["results"] == {"sum": 3}
    bad = project.run("main", engine="local", arguments={"bad": True})
    assert bad.state == "Failed"
    assert "no such luck" in str(bad.exc)
    assert len(project.list_runs(name="last")) == 1
