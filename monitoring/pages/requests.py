"""Requests: the newest, a search, and one looked up by its id."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .page import Page
from .source import Source
from .span import Span

_MOST = 50
_COLUMNS = (
    "id", "row", "when", "appended", "deployment", "endpoint_id", "model", "version", "microsec", "output", "error",
    "status", "arm", "shadow_of", "offset",
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """Truth that came for one row, as JSON text, and what became of it."""

    row: int | None
    truth: str | None
    status: str
    appended: int


def requests(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """One request where `id` names one, else the newest that match `endpoint`, `model` and `failed`."""
    if query.get("id"):
        name = query["id"]
        context = {"id": name, "answers": answers(source, name), "truths": truths(source, name)}
        return Page(f"Request {name}", "request.html", context)
    found = newest(source, query, span)
    context = {"found": found, "names": list(source.watched()), "filters": query, "most": _MOST}
    return Page("Requests", "requests.html", context)


def newest(source: Source, query: Mapping[str, str], span: Span) -> list[dict[str, Any]]:
    """At most 50 rows, the newest first; it looks at one day after the other."""
    found: list[dict[str, Any]] = []
    watched = source.watched().get(query.get("endpoint", ""))
    for day in reversed(span.days):
        table = source.archive.read("prediction", watched.key if watched else None, _COLUMNS, [day])
        if table.num_rows:
            table = _matching(table, query, span)
            order = pc.sort_indices(table, sort_keys=[("appended", "descending"), ("offset", "descending")])
            found += table.take(order[: _MOST - len(found)]).to_pylist()
        if len(found) >= _MOST:
            break
    return found


def _matching(table: pa.Table, query: Mapping[str, str], span: Span) -> pa.Table:
    wanted = pc.and_(pc.greater_equal(table["appended"], span.start), pc.less(table["appended"], span.end))
    if query.get("endpoint"):
        wanted = pc.and_(wanted, pc.equal(table["endpoint_id"], query["endpoint"]))
    if query.get("model"):
        wanted = pc.and_(wanted, pc.equal(table["model"], query["model"]))
    if query.get("failed"):
        wanted = pc.and_(wanted, pc.is_valid(table["error"]))
    return table.filter(pc.fill_null(wanted, False))


def answers(source: Source, name: str) -> list[dict[str, Any]]:
    """Every answer to a request, row by row: of the live endpoint, of shadows, of repetitions; nodes decoded."""
    table = source.archive.read("prediction", None, ("id",))
    if not table.num_rows or not pc.any(pc.equal(table["id"], name)).as_py():
        return []
    table = source.archive.read("prediction")
    rows = table.filter(pc.equal(table["id"], name)).slice(0, _MOST).to_pylist()
    return [_told_apart(row) for row in rows]


def _told_apart(row: dict[str, Any]) -> dict[str, Any]:
    features = {
        key.removeprefix("x_"): value for key, value in row.items() if key.startswith("x_") and value is not None
    }
    record = {key: value for key, value in row.items() if not key.startswith("x_") and value not in (None, "")}
    nodes = json.loads(record.pop("nodes", "[]"))
    return {"record": record, "features": features, "nodes": nodes}


def truths(source: Source, name: str) -> list[Truth]:
    """What was told about a request."""
    table = source.archive.read("feedback", None, ("request_id", "request_row", "truth", "status", "appended"))
    if not table.num_rows:
        return []
    mine = table.filter(pc.equal(table["request_id"], name)).slice(0, _MOST).to_pylist()
    return [Truth(each["request_row"], each["truth"], each["status"], each["appended"]) for each in mine]
