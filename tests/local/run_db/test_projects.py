"""Projects, and the file that they are kept in."""

import pytest
from mlrun.errors import MLRunConflictError, MLRunNotFoundError

FILE = """# The project.
kind: project
metadata:
  name: mine
spec:
  functions:
    # A job.
    - name: jobs
      url: jobs.py
      kind: job
      image: mlrun/mlrun
      handler: train
  workflows:
    - path: flow.py
      name: main
      args: {rows: 3}
"""


def test_loading_and_saving_leaves_a_file_that_says_the_same(mlrun, write):
    path, _ = write("project.yaml", FILE), write("jobs.py", "def train(context): pass\n")
    write("project_setup.py", "def setup(project):\n    return project\n")
    project = mlrun.load_project("./")
    project.save()
    mlrun.get_or_create_project("mine", context="./").save()
    mlrun.load_project("./").reload()
    assert path.read_text() == FILE
    project.spec.params = {"new": 1}
    project.save()
    assert "new: 1" in path.read_text()


def test_an_export_to_another_file_is_written(project, write):
    project.export("elsewhere.yaml")
    assert "jobs.py" in write("x", "").with_name("elsewhere.yaml").read_text()


def test_a_project_is_found_by_its_name_in_another_process(project, script):
    project.save()
    out = script(
        "import leeway, mlrun\nleeway.start()\np = mlrun.load_project('./', 'db://tests')\n"
        "print('found', p.get_function('jobs').kind, mlrun.get_run_db().list_projects())"
    )
    assert "found job ['tests']" in out


def test_a_project_that_is_there_cannot_be_created_again(project, mlrun):
    with pytest.raises(MLRunConflictError, match="already exists"):
        mlrun.get_run_db().create_project(project.to_dict())


def test_patch_and_delete(project, mlrun):
    db = mlrun.get_run_db()
    project.run_function("jobs")
    db.patch_project("tests", {"spec": {"description": "told"}})
    assert db.get_project("tests").spec.description == "told"
    db.delete_project("tests")
    mlrun.projects.pipeline_context.set(None)
    with pytest.raises(MLRunNotFoundError, match="Project tests"):
        db.get_project("tests")
    assert (
        db.list_runs(project="tests") == db.list_artifacts(project="tests") == db.list_functions(project="tests") == []
    )


def test_projects_do_not_meet(project, mlrun):
    project.run_function("jobs")
    other = mlrun.new_project("other", context="./other", overwrite=True)
    assert other.list_runs() == other.list_artifacts() == []
    assert len(project.list_runs()) == 1
