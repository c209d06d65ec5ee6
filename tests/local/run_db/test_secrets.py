"""Secrets and datastore profiles."""

import os

import pytest
from mlrun.datastore.datastore_profile import DatastoreProfileBasic
from mlrun.errors import MLRunNotFoundError

SECRETIVE = """
def tell(context):
    context.log_result("secret", context.get_secret("TOKEN"))
"""


@pytest.fixture(autouse=True)
def forget():
    yield
    for name in ("TOKEN", "A", "B"):
        os.environ.pop(name, None)


def test_a_run_finds_the_secrets_of_its_project(project, mlrun, write):
    write("secretive.py", SECRETIVE)
    project.set_secrets({"TOKEN": "xyz"})
    assert project.get_secret("TOKEN") == mlrun.get_secret_or_env("TOKEN") == "xyz"
    project.set_function("secretive.py", "secretive", kind="job", image="x", handler="tell")
    forgotten = os.environ.pop("TOKEN")
    assert project.run_function("secretive").outputs["secret"] == forgotten


def test_secrets_are_listed_by_name_and_deleted(project, mlrun):
    db = mlrun.get_run_db()
    project.set_secrets({"A": "1", "B": "2"})
    assert db.list_project_secret_keys("tests").secret_keys == ["A", "B"]
    db.delete_project_secrets("tests", secrets=["A"])
    assert db.list_project_secret_keys("tests").secret_keys == ["B"]
    assert "A" not in os.environ


def test_a_datastore_profile_leads_to_its_files(project, mlrun, write, tmp_path):
    write("data/x.txt", "found")
    profile = DatastoreProfileBasic(name="near", public=(tmp_path / "work" / "data").as_uri())
    project.register_datastore_profile(profile)
    assert mlrun.get_run_db().get_datastore_profile("near", "tests").public == profile.public
    assert [one.name for one in mlrun.get_run_db().list_datastore_profiles("tests")] == ["near"]
    mlrun.get_run_db().delete_datastore_profile("near", "tests")
    with pytest.raises(MLRunNotFoundError, match="profile near"):
        mlrun.get_run_db().get_datastore_profile("near", "tests")
