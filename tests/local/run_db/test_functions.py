"""Functions as MLRun keeps them."""

import pytest
from mlrun.errors import MLRunNotFoundError


def test_a_function_is_found_by_tag_and_by_hash(project, mlrun):
    function, db = project.get_function("jobs"), mlrun.get_run_db()
    function.save(tag="one", versioned=True)
    first = function.metadata.hash or db.get_function("jobs", "tests", "one")["metadata"]["hash"]
    function.with_code(body="def train(context): pass\n")
    function.save(tag="two", versioned=True)
    code = mlrun.import_function("db://tests/jobs:two").spec.build.functionSourceCode
    assert code == function.spec.build.functionSourceCode
    assert mlrun.import_function(f"db://tests/jobs@{first}").spec.build.functionSourceCode != code
    assert {one.metadata.tag for one in project.list_functions(name="jobs")} == {"one", "two"}
    assert [one.metadata.tag for one in project.list_functions(tag="two")] == ["two"]


def test_functions_are_listed_by_kind_and_label(project, mlrun):
    function = project.get_function("jobs")
    function.metadata.labels = {"team": "red"}
    function.save()
    db = mlrun.get_run_db()
    assert [one["kind"] for one in db.list_functions(project="tests", kind="job")] == ["job"]
    assert len(db.list_functions(project="tests", labels=["team=red"])) == 1
    assert db.list_functions(project="tests", labels=["team=blue"]) == []


def test_a_function_that_is_deleted_is_not_found(project, mlrun):
    project.get_function("jobs").save()
    mlrun.get_run_db().delete_function("jobs", "tests")
    with pytest.raises(MLRunNotFoundError, match="Function jobs:latest"):
        mlrun.get_run_db().get_function("jobs", "tests")


def test_building_says_what_is_not_installed(project, mlrun):
    function = project.get_function("jobs")
    assert function.deploy() is True
    function.with_requirements(["no-such-package>=3"])
    with pytest.raises(mlrun.runtimes.base.RunError, match="missing requirement no-such-package"):
        function.deploy()
