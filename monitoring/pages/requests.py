"""Requests: the newest, a search, and one looked up by its id."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from leeway.interfaces import Within

from .numbers import moment
from .page import Page
from .source import Source
from .span import Span, backwards, days_of

_MOST = 50
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_APART = ("output", "error", "microsec", "when", "arm", "propensity", "shadow_of", "trace")
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
    """One request where `id` names one, else the newest that match `endpoint`, `model`, `failed` and `error`."""
    if query.get("id"):
        name, told = query["id"], truths(source, query["id"])
        found = answers(source, name, source.settings.trace_page)
        for each in found:
            each["truth"] = next((t.truth for t in told if t.row in (None, each["record"]["row"])), None)
        context = {"id": name, "answers": found, "truths": told}
        return Page(f"Request {name}", "request.html", context)
    found = newest(source, query, span)
    context = {"found": found, "names": list(source.watched()), "filters": query, "most": _MOST}
    return Page("Requests", "requests.html", context)


def newest(source: Source, query: Mapping[str, str], span: Span) -> list[dict[str, Any]]:
    """At most 50 rows, the newest first; it looks at ever longer stretches of the time before."""
    found: list[dict[str, Any]] = []
    watched, wanted = source.watched().get(query.get("endpoint", "")), _wanted(query)
    for since, until in backwards(span.end - 1, span.start):
        place = (Within("appended", since, until), *wanted)
        key = watched.key if watched else None
        table = source.archive.read("prediction", key, _COLUMNS, days_of(since, until), place)
        if table.num_rows and query.get("error"):
            table = table.filter(pc.match_substring(table["error"], query["error"], ignore_case=True))
        if table.num_rows:
            order = pc.sort_indices(table, sort_keys=[("appended", "descending"), ("offset", "descending")])
            found += table.take(order[: _MOST - len(found)]).to_pylist()
        if len(found) >= _MOST:
            break
    return found


def _wanted(query: Mapping[str, str]) -> list[Within]:
    """What the fields of the search ask of a row."""
    equal = {"endpoint_id": query.get("endpoint"), "model": query.get("model")}
    found = [Within(column, value, value) for column, value in equal.items() if value]
    return found + ([Within("error")] if query.get("failed") or query.get("error") else [])


def answers(source: Source, name: str, trace_page: str = "") -> list[dict[str, Any]]:
    """Every answer to a request, row by row, of the live endpoint, of shadows, of repetitions: the record and what of
    it says who and where, the features, the nodes decoded, and the trace with its URL where there is one."""
    table = source.archive.read("prediction", where=[Within("id", name, name)])
    return [_told_apart(row, trace_page) for row in table.to_pylist()[:_MOST]]


def _told_apart(row: dict[str, Any], trace_page: str) -> dict[str, Any]:
    features = {
        key.removeprefix("x_"): value for key, value in row.items() if key.startswith("x_") and value is not None
    }
    record = {key: value for key, value in row.items() if not key.startswith("x_") and value not in (None, "")}
    nodes = json.loads(record.pop("nodes", "[]"))
    known = _TRACE.fullmatch(record.get("trace", ""))
    url = trace_page.replace("{trace_id}", known[1]) if known and trace_page.startswith(("http://", "https://")) else ""
    recorded = {key: value for key, value in record.items() if key not in _APART}
    recorded["appended"] = f"{moment(record['appended'])} UTC"
    trace_id = known[1] if known else ""
    shown = {"row": None, "output": None, "error": "", "microsec": 0, "when": "", "endpoint_id": ""}
    for key in ("shadow_of", "arm", "propensity"):
        shown[key] = ""
    return {
        "record": shown | record, "recorded": recorded, "features": features, "nodes": nodes, "trace": url,
        "trace_id": trace_id,
    }  # fmt: skip


def truths(source: Source, name: str) -> list[Truth]:
    """What was told about a request."""
    columns = ("request_row", "truth", "status", "appended")
    table = source.archive.read("feedback", None, columns, where=[Within("request_id", name, name)])
    mine = table.to_pylist()[:_MOST]
    return [Truth(each["request_row"], each["truth"], each["status"], each["appended"]) for each in mine]
