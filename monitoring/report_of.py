"""Reads from the stores what a report page is made of."""

from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc

from leeway.settings import Settings

from .error_level import error_of, mismatches
from .history import History
from .late_truth import errors_of
from .outcomes import COUNTED
from .queries import Queries
from .report import Report, Strongest
from .report_tables import Late
from .series import LATENCY_US, REQUESTS
from .summary import differences


def report_of(settings: Settings, queries: Queries, history: History, summary: Mapping[str, Any]) -> Report:
    """The report on what an endpoint went through, with the summary of the run."""
    begin, end = history.seconds
    requests, latencies = (queries.series(name, history.endpoint, begin, end + 1) for name in (REQUESTS, LATENCY_US))
    strongest = [_strongest(queries, history, name) for name in history.watched_names if _alarmed(history, name)]
    late = _late(queries, history)
    return Report(history, summary, differences(summary), requests, latencies, strongest, late)


def _late(queries: Queries, history: History) -> Late:
    table = queries.late_truth(history.endpoint)
    if not table.num_rows:
        return Late(0, 0)
    errors = errors_of(table, error_of(history.profile) if history.profile else mismatches)
    return Late(table.num_rows, int(errors.sum()))


def _alarmed(history: History, name: str) -> bool:
    return any(name in verdict.features for verdict in history.windows)


def _strongest(queries: Queries, history: History, name: str) -> Strongest:
    """The window in which a feature was farthest from the reference, of those in which it alarmed."""
    windows = [verdict for verdict in history.windows if name in verdict.features]
    verdict = max(windows, key=lambda window: history.move_of(window, name))
    rows = queries.rows(verdict.first.position, verdict.last.position, queries.watched()[history.endpoint].key)
    mine = pc.and_(pc.equal(rows["endpoint_id"], history.endpoint), pc.equal(rows["status"], COUNTED))
    column = rows.filter(mine)[f"x_{name}" if name in history.profile.feature_names else "output"]
    return Strongest(name, verdict, column.to_pylist())
