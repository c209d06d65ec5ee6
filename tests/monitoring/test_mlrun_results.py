"""Verdicts in the form of MLRun's model monitoring, asked for by MLRun's own context."""

import json
from datetime import UTC, datetime

import pytest

from monitoring.mlrun_results import mlrun_results
from monitoring.queries import Queries

ENDPOINT = "shop/server/a/default/a/v1"


@pytest.fixture
def judged(make_reader, eventful):
    """A reader that has consumed everything, and the verdicts on one endpoint."""
    reader = make_reader()
    reader.consumer().consume(eventful)
    with Queries(reader.settings) as queries:
        return reader, queries.verdicts(ENDPOINT)


@pytest.fixture
def context_of(tmp_path):
    """MLRun's context of one look at an endpoint, from one epoch second up to another."""
    import mlrun
    from mlrun.model_monitoring.applications import MonitoringApplicationContext

    def context_of(name, start, end):
        times = {"start_infer_time": _iso(start), "end_infer_time": _iso(end)}
        event = {**times, "endpoint_id": "uid", "endpoint_name": name}
        project = mlrun.projects.MlrunProject(metadata=mlrun.projects.ProjectMetadata("shop"))
        return MonitoringApplicationContext(
            application_name="drift", event=event, project=project, artifacts_logger=None, logger=None,
            nuclio_logger=None,
        )  # fmt: skip

    return context_of


def _iso(at):
    return datetime.fromtimestamp(at, UTC).isoformat()


def test_each_detector_gives_one_result_with_its_last_statistic_and_its_worst_status(judged, context_of):
    reader, verdicts = judged
    found = mlrun_results(context_of("a", 0, 2_000_000_000), reader.settings)
    by_name = {result.name: result for result in found}
    assert set(by_name) == {verdict.detector for verdict in verdicts if not verdict.feature} | {
        f"{verdict.detector}_{verdict.feature}" for verdict in verdicts if verdict.feature
    }
    drift = [verdict for verdict in verdicts if verdict.detector == "data_drift" and not verdict.feature]
    result = by_name["data_drift"]
    assert result.value == drift[-1].statistic
    assert result.status.value == max(verdict.status for verdict in drift) == 2
    assert (result.kind.name, result.extra_data["endpoint"]) == ("data_drift", ENDPOINT)
    written = result.to_dict()
    assert json.loads(written["result_extra_data"])["features"] == list(drift[-1].features)


def test_only_what_was_said_in_the_stretch_of_time_counts(judged, context_of):
    reader, verdicts = judged
    first = min(verdict.appended for verdict in verdicts)
    assert mlrun_results(context_of("a", 0, first), reader.settings) == []
    early = mlrun_results(context_of("a", first, first + 1), reader.settings)
    said = [verdict for verdict in verdicts if verdict.appended == first]
    assert {result.value for result in early} <= {verdict.statistic for verdict in said}
    assert early


def test_another_endpoint_or_project_has_none_of_it(judged, context_of):
    reader, _ = judged
    assert mlrun_results(context_of("nobody", 0, 2_000_000_000), reader.settings) == []
