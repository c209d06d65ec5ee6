"""What the laptop cannot do is said in one message, and never answered with nothing."""

import pytest
from mlrun.db.base import RunDBInterface
from mlrun.errors import MLRunBadRequestError, MLRunInvalidArgumentError

from leeway.local.run_db.laptop_run_db import LaptopRunDB
from leeway.local.run_db.part import Part


def test_a_job_elsewhere_is_refused_with_what_to_do(project, mlrun):
    with pytest.raises(MLRunBadRequestError, match=r"the laptop cannot do this.*local=True.*MLRUN_DBPATH"):
        project.get_function("jobs").run(local=False, handler="train")
    with pytest.raises(MLRunInvalidArgumentError, match="schedule"):
        project.get_function("jobs").run(local=True, handler="train", schedule="0 * * * *")


@pytest.mark.parametrize("method", ["list_model_endpoints", "enable_model_monitoring", "list_alerts_configs"])
def test_monitoring_of_mlruns_own_is_refused(project, mlrun, method):
    with pytest.raises(MLRunBadRequestError, match=f"{method} needs an MLRun service"):
        getattr(mlrun.get_run_db(), method)("tests")


def test_what_the_interface_does_not_name_is_refused_too(mlrun):
    with pytest.raises(MLRunBadRequestError, match="list_schedules needs an MLRun service") as refusal:
        mlrun.get_run_db().list_schedules("tests")
    assert refusal.value.response.status_code == 400


def test_no_two_parts_share_a_name():
    parts = [part for part in LaptopRunDB.__bases__ if issubclass(part, Part)]
    names = [name for part in parts for name in vars(part) if not name.startswith("__")]
    assert len(parts) == 7
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_method_of_the_interface_is_answered_or_refused():
    assert all(
        getattr(LaptopRunDB, name) is not getattr(RunDBInterface, name) for name in RunDBInterface.__abstractmethods__
    )
