"""Verdicts as the results of an MLRun model-monitoring application.

class Drift(ModelMonitoringApplicationBase):
    def do_tracking(self, monitoring_context):
        return mlrun_results(monitoring_context)
"""

import json
import re
from typing import TYPE_CHECKING, Any

from leeway.record import Verdict
from leeway.settings import Settings

from .model_endpoints import endpoint_name
from .queries import Queries

if TYPE_CHECKING:
    from mlrun.model_monitoring.applications import ModelMonitoringApplicationResult

_LARGEST = 900  # MLRun drops extra data beyond 998 characters


def mlrun_results(context: Any, settings: Settings | None = None) -> "list[ModelMonitoringApplicationResult]":
    """One for each detector (and feature, where it judges features apart) that said something of the model endpoint
    between the context's start and end: the last statistic, and the worst status. The endpoint is ours of that project
    whose deployment has the endpoint's name; where several versions answered, all of them speak.

    `context` is MLRun's MonitoringApplicationContext: its project_name, endpoint_name, start_infer_time and
    end_infer_time are read. StoreError where a store cannot be.
    """
    start, end = (at.timestamp() for at in (context.start_infer_time, context.end_infer_time))
    with Queries(settings or Settings.read()) as queries:
        mine = [each for each in queries.watched() if _is_of(each, context.project_name, context.endpoint_name)]
        said = [verdict for each in mine for verdict in queries.verdicts(each) if start <= verdict.appended < end]
    by_name: dict[str, list[Verdict]] = {}
    for verdict in sorted(said, key=lambda each: each.appended):
        by_name.setdefault(_name(verdict), []).append(verdict)
    return [_result(name, verdicts) for name, verdicts in by_name.items()]


def _is_of(endpoint: str, project: str, name: str) -> bool:
    parts = endpoint.split("/")
    return parts[0] == project and name in (parts[2], "/".join(parts[2:]), endpoint_name(endpoint))


def _name(verdict: Verdict) -> str:
    """A name as MLRun allows it."""
    return re.sub(r"\W", "_", "_".join(part for part in (verdict.detector, verdict.feature) if part))


def _result(name: str, verdicts: list[Verdict]) -> "ModelMonitoringApplicationResult":
    from mlrun.common.schemas.model_monitoring import ResultKindApp, ResultStatusApp
    from mlrun.model_monitoring.applications import ModelMonitoringApplicationResult

    last, features = verdicts[-1], list(verdicts[-1].features)
    extra = {"threshold": last.threshold, "rows": last.rows, "endpoint": last.endpoint, "features": features}
    while features and len(json.dumps(extra)) > _LARGEST:
        features.pop()
    status = ResultStatusApp(max(verdict.status for verdict in verdicts))
    return ModelMonitoringApplicationResult(name, last.statistic, ResultKindApp[last.kind], status, extra)
