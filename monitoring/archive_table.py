"""Records as Parquet rows: one per prediction row, per feedback row, per decision.

Columns: the position (shard, offset, index, row), `appended` (epoch seconds), every field of the record, nested ones
as JSON text, and `status`: how it was counted. Predictions spread their inputs over columns `x_<name>`; `output` and
`probabilities` are the row's own.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import astuple

from leeway.record import Record

from .answers import Answers
from .label_values import Place
from .told import Told

_INT, _FLOAT, _STRING = pa.int64(), pa.float64(), pa.string()
_FIELDS = {
    **dict.fromkeys(
        ("id", "op", "when", "event_time", "project", "function_uri", "deployment", "endpoint_id", "model", "version",
         "class_", "arm", "key_hash", "shadow_of", "error", "trace", "host", "worker"), _STRING,
    ),
    "microsec": _INT, "sampling": _INT, "propensity": _FLOAT,
}  # fmt: skip
_encode_lines = msgspec.json.Encoder().encode_lines
_NESTED = ("labels", "metrics", "nodes", "decision")


def prediction_table(answers: Answers) -> pa.Table:
    """One row per row of each prediction record."""
    columns = _record_columns(answers.records, answers.shard, answers.places)
    columns["rows"] = _array(answers.sizes, _INT)
    columns["status"] = _array(answers.statuses, _STRING)
    if not answers.is_flat:
        columns = {name: column.take(pa.array(answers.owner)) for name, column in columns.items()}
    columns["row"] = pa.array(answers.row)
    columns["output"] = values_array(answers.outputs)
    columns["probabilities"] = pa.array(answers.probabilities or [None] * len(answers.owner), pa.list_(_FLOAT))
    for name, column in answers.columns.items():
        columns[f"x_{name}"] = values_array(column)
    return pa.table(columns)


def feedback_table(shard: int, told: Sequence[Told]) -> pa.Table:
    """One row per truth of each feedback record; one without a row where it only brings a reward."""
    counts = [len(item.outcomes) for item in told]
    columns = _told_columns(shard, told)
    columns["request_id"] = _array([item.record.request.id for item in told], _STRING)
    columns["reward"] = _json([item.record.request.reward for item in told])
    if counts.count(1) < len(counts):
        owner = pa.array(np.repeat(np.arange(len(told)), counts))
        columns = {name: column.take(owner) for name, column in columns.items()}
    columns["row"] = _array([i for count in counts for i in range(count)], _INT)
    columns["request_row"] = _array([row for item in told for row, _ in item.truths], _INT)
    columns["truth"] = _json([truth for item in told for _, truth in item.truths])
    columns["status"] = _array([outcome for item in told for outcome in item.outcomes], _STRING)
    return pa.table(columns)


def decision_table(shard: int, told: Sequence[Told]) -> pa.Table:
    """One row per decision record."""
    columns = _told_columns(shard, told)
    columns["row"] = pa.repeat(pa.scalar(0, _INT), len(told))
    columns["status"] = _array([item.outcomes[0] if item.outcomes else None for item in told], _STRING)
    return pa.table(columns)


def values_array(values: np.ndarray | Sequence[Any]) -> pa.Array:
    """JSON values as the narrowest type that holds all of them: int, float, bool, else text (of numbers and nested
    values, their JSON). Whole numbers that a float cannot hold are text whatever is beside them, as it may be floats
    in the next range."""
    if isinstance(values, np.ndarray):
        return pa.array(values, from_pandas=True)
    kinds = set(map(type, values)) - {type(None)}
    for allowed, arrow_type in _TYPES:
        if kinds <= allowed:
            if int in kinds and any(type(value) is int and abs(value) > _EXACT for value in values):
                break
            return pa.array(values, arrow_type)
    return pa.array([value if value is None or type(value) is str else _text(value) for value in values], _STRING)


_EXACT = 2**53
_TYPES = [
    (set(), pa.null()),
    ({int}, _INT),
    ({int, float}, _FLOAT),
    ({bool}, pa.bool_()),
    ({str}, _STRING),
]


def _told_columns(shard: int, told: Sequence[Told]) -> dict[str, pa.Array]:
    return _record_columns([item.record for item in told], shard, [item.at for item in told])


def _record_columns(records: list[Record], shard: int, places: Sequence[Place]) -> dict[str, pa.Array]:
    """What one row per record says; `row` keeps its place among the columns and is filled in by the caller."""
    columns = {
        "shard": _constant(shard, _INT, len(records)),
        "offset": pa.array([at.offset for at in places], _INT),
        "index": _array([at.index for at in places], _INT),
        "row": pa.nulls(len(records)),
        "appended": _array([at.appended for at in places], _INT),
    }
    fields = dict(zip(Record.__struct_fields__, zip(*map(astuple, records))))
    outboxes, numbers, dropped = zip(*map(astuple, fields["origin"]))
    for name, arrow_type in _FIELDS.items():
        columns[name.rstrip("_")] = _array(fields[name], arrow_type)
    for name in _NESTED:
        columns[name] = _nested(fields[name])
    columns["model_name"] = _array([answer.model_name for answer in fields["resp"]], _STRING)
    columns["outbox"] = _array(outboxes, _STRING)
    columns["seq"] = _array(numbers, _INT)
    columns["dropped"] = _nested(dropped)
    return columns


def _array(values: Sequence[Any], arrow_type: pa.DataType) -> pa.Array:
    """A column that is often constant, which costs next to nothing then."""
    if values and values[0] == values[-1] and values.count(values[0]) == len(values):
        return _constant(values[0], arrow_type, len(values))
    return pa.array(values, arrow_type)


@lru_cache(maxsize=512)
def _constant(value: Any, arrow_type: pa.DataType, size: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, arrow_type), size)


def _nested(values: Sequence[Any]) -> pa.Array:
    """Objects and lists as JSON text, null for empty ones; most often all of them are."""
    if not any(values):
        return _constant(None, _STRING, len(values))
    return _array([_text(value) if value else None for value in values], _STRING)


def _json(values: Iterable[Any]) -> pa.Array:
    """Values as JSON text, which has no line breaks; null for missing ones."""
    values = list(values)
    if not any(value is not None for value in values):
        return _constant(None, _STRING, len(values))
    lines = _encode_lines(values).decode().split("\n")
    return pa.array([None if value is None else line for value, line in zip(values, lines)], _STRING)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
