"""Artifacts, models and store:// URIs."""

from pathlib import Path

import pytest
from mlrun.artifacts import get_model
from mlrun.errors import MLRunBadRequestError


def model(project, **params):
    return project.run_function("jobs", params=params).outputs["model"]


def weights(uri):
    return Path(get_model(uri)[0]).read_text()


def test_a_second_run_never_changes_what_an_older_uri_leads_to(project):
    first = model(project, note="a")
    second = model(project, note="b")
    assert first != second
    assert (weights(first), weights(second)) == ("weights a 3", "weights b 3")


def test_a_uri_names_a_version_by_tag_tree_or_uid(project, mlrun):
    first = project.run_function("jobs", params={"note": "a"})
    project.run_function("jobs", params={"note": "b"})
    made, db = first.artifact("model").meta, mlrun.get_run_db()
    db.tag_artifacts(made, "tests", "good")
    key = "store://models/tests/jobs-train_model"
    for uri in (f"{key}:good", f"{key}@{first.metadata.uid}", f"{key}^{made.metadata.uid}"):
        assert weights(uri) == "weights a 3", uri
    for uri in (key, f"{key}:latest", f"{key}#0"):
        assert weights(uri) == "weights b 3", uri
    assert db.list_artifact_tags("tests") == ["good", "latest"]
    with pytest.raises(OSError, match="jobs-train_model:bad"):
        weights(f"{key}:bad")
    db.delete_artifacts_tags(made, "tests", "good")
    with pytest.raises(OSError, match="jobs-train_model:good"):
        weights(f"{key}:good")


def test_models_are_listed_loaded_and_updated(project, mlrun):
    first, second = model(project, note="a"), model(project, note="b")
    (latest,) = project.list_models("jobs-train_model")
    assert second.endswith(latest.metadata.uid)
    assert len(project.list_models("jobs-train_model", tag="*")) == 2
    assert weights(first) == "weights a 3"
    assert get_model(first)[1].metrics == {"auc": 0.9}
    mlrun.artifacts.update_model(first, metrics={"f1": 0.5}, store_object=True)
    assert get_model(first)[1].metrics == {"auc": 0.9, "f1": 0.5}
    assert first.endswith(project.list_models()[0].metadata.uid)  # what was stored last is the latest


def test_artifacts_are_listed_by_kind_category_tree_and_label(project):
    run = project.run_function("jobs", params={"note": "a"})
    project.log_artifact("page", body="<b>hi</b>", format="html", labels={"for": "people"})

    def keys(**given):
        return sorted(one["metadata"]["key"] for one in project.list_artifacts(**given))

    assert keys() == ["model", "page", "table"]
    assert keys(kind="dataset") == keys(category="dataset") == ["table"]
    assert keys(category="model") == keys(name="jobs-train_model") == ["model"]
    assert keys(tree=run.metadata.uid) == keys(name="~jobs") == ["model", "table"]
    assert keys(labels=["for=people"]) == ["page"]
    assert keys(tag="other") == keys(name="model") == []


def test_an_artifact_can_be_deleted_but_not_its_data(project, mlrun):
    uri, db = model(project), mlrun.get_run_db()
    with pytest.raises(MLRunBadRequestError, match="deletes no data"):
        db.del_artifact("jobs-train_model", project="tests", deletion_strategy="data-force")
    path = get_model(uri)[0]
    db.del_artifact("jobs-train_model", project="tests")
    with pytest.raises(OSError, match=r"Artifact jobs-train_model@.* not found in project tests"):
        mlrun.get_dataitem(uri)
    assert Path(path).read_text()
    db.del_artifacts(project="tests")
    assert project.list_artifacts() == []


def test_artifacts_lie_in_the_home_that_only_its_owner_may_read(project, home):
    path = get_model(model(project))[0]
    assert path.startswith(f"{home}/artifacts/tests/")
    assert home.stat().st_mode & 0o777 == 0o700
