"""MLRun's own inference records in our terms: v1, v1-batch (`headers` and `values`), v2, and ModelRunner's.

They have no origin, so each gets an empty one, which deduplication lets through. A v1 record has no request id: it is
recorded, but no truth can be joined to it.
"""

from typing import Any

import msgspec

from leeway.record import INFER, SCHEMA, Record

_UNKNOWN_PROJECT, _UNKNOWN_FUNCTION = "default", "mlrun"


def records_of(document: dict[str, Any]) -> list[Record]:
    """The records in one of MLRun's documents; ValueError or msgspec.ValidationError where it is none."""
    if "headers" in document and "values" in document:
        common = {key: value for key, value in document.items() if key not in ("headers", "values")}
        return [_record({**common, **dict(zip(document["headers"], row))}) for row in document["values"]]
    return [_record(document)]


def _record(document: dict[str, Any]) -> Record:
    if not ({"request", "resp", "error"} & document.keys()) or "model" not in document:
        raise ValueError("neither a record of schema 1 nor one of MLRun's: no `schema`, no `model` with `request`")
    model, _, version = str(document["model"]).partition(":")
    project, function = _function(document.get("function_uri"))
    request, response = _part(document, "request", "inputs"), _part(document, "resp", "outputs")
    uid = str(document.get("endpoint_id") or response.get("model_endpoint_uid") or "")
    fields = {
        "schema": SCHEMA,
        "id": str(response.get("id") or request.get("id") or ""),
        "op": INFER if document.get("op") in (None, "predict", "infer") else document["op"],
        "when": str(document.get("when", "")),
        "microsec": int(document.get("microsec") or 0),
        "project": project,
        "function_uri": f"{project}/{function}",
        "deployment": model,
        "endpoint_id": f"{project}/{function}/{model}/default/{model}/{version or uid or 'latest'}",
        "model": model,
        "version": version,
        "class": str(document.get("class") or document.get("model_class") or ""),
        "origin": {"outbox": "", "seq": 0},
        "request": request,
        "resp": response,
        "features": _feature_names(request),
        "sampling": max(1, round(100 / float(document.get("sampling_percentage") or 100))),
        "error": None if document.get("error") is None else str(document["error"]),
        "labels": {str(key): str(value) for key, value in (document.get("labels") or {}).items()},
        "metrics": document.get("metrics") or {},
        "host": str(document.get("host") or ""),
        "worker": str(document.get("worker") or ""),
    }
    return msgspec.convert(fields, Record)


def _function(uri: Any) -> tuple[str, str]:
    """`project/function`, which MLRun may follow with `:tag` or `@hash`."""
    project, _, function = str(uri or "").partition("/")
    name = function.partition("@")[0].partition(":")[0]
    return project or _UNKNOWN_PROJECT, name or _UNKNOWN_FUNCTION


def _part(document: dict[str, Any], name: str, rows: str) -> dict[str, Any]:
    """`request` or `resp` with its rows under one name: a v1 request has `instances`, a v1 answer is the bare rows."""
    part = document.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        return {rows: part if isinstance(part, list) else [part]}
    found = part.get(rows, part.get("instances", part.get("predictions", [])))
    kept = {key: part[key] for key in ("id", "model_name", "model_endpoint_uid", "input_schema") if part.get(key)}
    return {**kept, rows: found if isinstance(found, list) else [found]}


def _feature_names(request: dict[str, Any]) -> list[str] | None:
    schema = request.get("input_schema")
    return [str(name) for name in schema] if isinstance(schema, list) else None
