"""The records of one stream key, put together again from the archive, as the messages in which they came."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from leeway.interfaces import Archive, Message
from leeway.profile import Profile
from leeway.record import SCHEMA, Origin, Record, Request, Response

from .detectors.values import NUMBER, TEXT

_INPUT = "x_"
_TEXTS = (
    "id", "op", "when", "event_time", "project", "function_uri", "deployment", "endpoint_id", "model", "version",
    "shadow_of", "error",
)  # fmt: skip
_PLACE = ("offset", "index", "appended")
_SHARED = (*_PLACE, *_TEXTS, "labels", "outbox", "seq", "dropped")
_NULL = b"null"

_Found = tuple[int, int, int, Record]


def archived_messages(archive: Archive, key: str, profile_of: Callable[[str], Profile | None]) -> list[Message]:
    """Everything that was archived of a stream key, in stream order.

    What the archive does not keep is missing: records that were refused (they tell detectors nothing), and whether a
    text that reads like a number was one: it is taken for one unless the profile knows only text in that column.
    """
    found: list[_Found] = []
    shard = 0
    for kind, read in (("prediction", _predictions), ("feedback", _feedback), ("decision", _decisions)):
        table = archive.read(kind, key)
        if table.num_rows:
            shard = table["shard"][0].as_py()
            found += read(table, profile_of)
    found.sort(key=itemgetter(0, 1))
    return [_message(shard, key, list(some)) for _, some in groupby(found, itemgetter(0))]


def _message(shard: int, key: str, found: Sequence[_Found]) -> Message:
    offset, last, appended, record = found[-1]
    if last == 0:
        return Message(shard, offset, appended, key, msgspec.json.encode(record))
    parts = [_NULL] * (last + 1)
    for _, index, _, packed in found:
        parts[index] = msgspec.json.encode(packed)
    return Message(shard, offset, appended, key, b"[" + b",".join(parts) + b"]")


def _predictions(table: pa.Table, profile_of: Callable[[str], Profile | None]) -> Iterator[_Found]:
    for endpoint in pc.unique(table["endpoint_id"]).to_pylist():
        mine = pc.equal(table["endpoint_id"], endpoint) if endpoint is not None else pc.is_null(table["endpoint_id"])
        rows = table.filter(mine)
        types = {feature.name: feature.types for feature in getattr(profile_of(endpoint or ""), "features", ())}
        names = [name for name in rows.column_names if name.startswith(_INPUT)]
        names = [name for name in names if rows[name].null_count < rows.num_rows]
        features = [name.removeprefix(_INPUT) for name in names]
        inputs = [_values(rows[name], types.get(feature, [NUMBER])) for name, feature in zip(names, features)]
        answers = zip(_values(rows["output"], [NUMBER, TEXT]), rows["probabilities"].to_pylist())
        yield from _grouped(rows, list(zip(*inputs)) or [()] * rows.num_rows, list(answers), features)


def _grouped(
    rows: pa.Table, inputs: Sequence[tuple], answers: Sequence[tuple], features: list[str]
) -> Iterator[_Found]:
    microsec = rows["microsec"].to_pylist()
    for place, fields, first, last in _records(rows):
        given = [list(row) for row in inputs[first:last]] if features else []
        probabilities = [row for _, row in answers[first:last]]
        resp = Response(
            id=fields["id"],
            outputs=[output for output, _ in answers[first:last]],
            probabilities=probabilities if all(row is not None for row in probabilities) else None,
        )
        request = Request(inputs=given)
        yield (
            *place,
            Record(request=request, resp=resp, features=features or None, microsec=microsec[first] or 0, **fields),
        )


def _feedback(table: pa.Table, profile_of: Callable[[str], Profile | None]) -> Iterator[_Found]:
    ids, rewards = table["request_id"].to_pylist(), _json(table["reward"])
    rows, truths = table["request_row"].to_pylist(), _json(table["truth"])
    for place, fields, first, last in _records(table):
        told = [(row, truth) for row, truth in zip(rows[first:last], truths[first:last]) if row is not None]
        request = Request(
            id=ids[first] or "",
            rows=[row for row, _ in told] or None,
            truth=[truth for _, truth in told] or None,
            reward=rewards[first],
        )
        yield *place, Record(request=request, **fields)


def _decisions(table: pa.Table, profile_of: Callable[[str], Profile | None]) -> Iterator[_Found]:
    decisions = _json(table["decision"])
    for place, fields, first, _ in _records(table):
        yield *place, Record(decision=decisions[first], **fields)


def _records(table: pa.Table) -> Iterator[tuple[tuple[int, int, int], dict[str, Any], int, int]]:
    """Place, fields that all kinds share, and the rows from `first` up to `last`, of each record."""
    columns = {name: table[name].to_pylist() for name in _SHARED}
    columns["labels"], columns["dropped"] = _json(table["labels"]), _json(table["dropped"])
    places = list(zip(*(columns[name] for name in _PLACE)))
    starts = [i for i, place in enumerate(places) if i == 0 or place[:2] != places[i - 1][:2]]
    for first, last in zip(starts, [*starts[1:], len(places)]):
        fields = {name: columns[name][first] for name in _TEXTS}
        for name in ("id", "endpoint_id", "model", "version"):
            fields[name] = fields[name] or ""
        origin = Origin(columns["outbox"][first], columns["seq"][first], columns["dropped"][first] or {})
        yield places[first], {
            **fields, "schema": SCHEMA, "origin": origin, "labels": columns["labels"][first] or {},
        }, first, last  # fmt: skip


def _values(column: pa.ChunkedArray, types: Sequence[str]) -> list[Any]:
    """The JSON values of a column; in one of text, what reads like a number is one where `types` knows numbers."""
    values = column.to_pylist()
    if not pa.types.is_string(column.type) or NUMBER not in types:
        return values
    return [value if value is None else _number(value) for value in values]


def _number(text: str) -> Any:
    try:
        return float(text) if text.strip() == text and "_" not in text else text
    except ValueError:
        return text


def _json(column: pa.ChunkedArray) -> list[Any]:
    return [None if text is None else msgspec.json.decode(text) for text in column.to_pylist()]
