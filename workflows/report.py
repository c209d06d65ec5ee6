"""The last step of the main workflow: waits for what was recorded, reconciles it, and writes the report."""

import json
import platform
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from leeway.progress import tell
from leeway.settings import Settings
from leeway.traffic.replay import row_of
from monitoring.history import endpoint_since, history_of
from monitoring.queries import Queries
from monitoring.reconciliation import Baseline, Reconciliation
from monitoring.report_of import report_of
from monitoring.summary import differences, summary_of
from monitoring.waiting import until_adopted, until_consumed

_PACKAGES = ("leeway-mlops", "mlrun", "scikit-learn", "numpy", "pandas", "pyarrow")


def settle(context, stream, key, workers=1, patience_s=60.0):
    """Wait until what an earlier run left behind is consumed; log `baseline`, the moment from which this one counts.

    :param stream:  the inference stream
    :param key:     stream key of the deployment, project/function/deployment
    :param workers: how many workers the model server has
    """
    settings = Settings.read()
    until_adopted(key.rpartition("/")[0], workers, settings, patience_s)
    with Queries(settings) as queries:
        until_consumed(stream, 0, settings, queries, patience_s=patience_s)
        context.log_result("baseline", Baseline.now(settings, queries, stream, key).to_json())


def report(context, baseline, requests, feedback_sent, endpoints, seconds, marks=None, patience_s=60.0):
    """Wait until all that was answered is consumed; log the artifacts `summary` (JSON) and `page` (HTML).

    :param baseline:      what `settle` logged
    :param requests:      {sent, answered}, as the clients counted them
    :param feedback_sent: likewise
    :param endpoints:     {name: URL}
    :param seconds:       {step: s} of the steps so far
    :param marks:         {what happened: row} of moments that the charts show
    """
    settings, since = Settings.read(), Baseline.from_json(baseline)
    expected = since.end + requests["answered"] + feedback_sent
    with Queries(settings) as queries:
        until_consumed(since.stream, expected, settings, queries, partial(_show, since.end, expected), patience_s)
        found = Reconciliation.since(since, settings, queries)
        history = history_of(queries, endpoint_since(queries, since), since, marks or {})
        summary = summary_of(requests, feedback_sent, found, history.verdicts, row_of)
        summary |= {
            "endpoints": endpoints,
            "paths": _paths(settings, since),
            "versions": _versions(),
            "seconds": seconds,
        }
        page = report_of(settings, queries, history, summary).page()
    problems = differences(summary)
    context.log_result("adds_up", not problems)
    context.log_result("alarms", len(summary["alarms"]))
    context.log_artifact("summary", body=json.dumps(summary, indent=2), format="json")
    context.log_artifact("differences", body=json.dumps(problems), format="json")
    context.log_artifact("page", body=page, format="html")


def _show(start, expected, lag):
    tell("report", lag.consumed - start, max(expected, lag.end) - start)


def _paths(settings, since):
    home = settings.home.absolute()
    return {
        "home": str(home),
        "stream": str(home / "streams" / since.stream),
        "series": settings.series or str(home / "series.db"),
        "archive": settings.archive or str(home / "archive"),
        "state": settings.state or str(home / "state"),
        "functions": str(home / "functions"),
    }


def _versions():
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):  # a checkout that is not installed
            versions[name.removesuffix("-mlops")] = version(name)
    return versions
