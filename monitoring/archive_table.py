"""Records as Parquet rows: one per prediction row, per feedback row, per decision.

Columns: the position (shard, offset, index, row), `appended` (epoch seconds), every field of the record, nested ones
as JSON text, and `status`: how it was counted. Predictions spread their inputs over columns `x_<name>`; `output` and
`probabilities` are the row's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from leeway.record import Record
from leeway.record_writer import Said

from .answers import Answers
from .label_values import Place
from .said_columns import said_columns
from .told import Feedback, Told

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
_SHARED = [name for name in (*_FIELDS, *_NESTED) if name not in Said.__struct_fields__]


def prediction_table(answers: Answers) -> pa.Table:
    """One row per row of each prediction record."""
    columns = _record_columns(answers.likes, answers.said, answers.shard, answers.places)
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


def feedback_table(shard: int, feedback: Feedback) -> pa.Table:
    """One row per truth of each feedback record; one without a row where it only brings a reward."""
    sizes = feedback.sizes
    columns = _record_columns(feedback.likes, feedback.said, shard, feedback.places)
    columns["request_id"] = _array(feedback.ids, _STRING)
    columns["reward"] = _json(feedback.rewards)
    if sizes.count(1) < len(sizes):
        owner = pa.array(np.repeat(np.arange(len(sizes)), sizes))
        columns = {name: column.take(owner) for name, column in columns.items()}
    rows, truths = zip(*feedback.truths)
    columns["row"] = _array([i for size in sizes for i in range(size)], _INT)
    columns["request_row"] = _array(rows, _INT)
    columns["truth"] = _json(truths)
    columns["status"] = _array(feedback.outcomes, _STRING)
    return pa.table(columns)


def decision_table(shard: int, told: Sequence[Told]) -> pa.Table:
    """One row per decision record."""
    said = said_columns([item.said for item in told])
    columns = _record_columns([item.like for item in told], said, shard, [item.at for item in told])
    columns["row"] = pa.repeat(pa.scalar(0, _INT), len(told))
    columns["status"] = _array([item.outcome for item in told], _STRING)
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


def _record_columns(
    likes: Sequence[Record], said: Mapping[str, Sequence[Any]], shard: int, places: Sequence[Place]
) -> dict[str, pa.Array]:
    """What one row per record says; `row` keeps its place among the columns and is filled in by the caller."""
    columns = {
        "shard": _constant(shard, _INT, len(places)),
        "offset": pa.array([at.offset for at in places], _INT),
        "index": _array([at.index for at in places], _INT),
        "row": pa.nulls(len(places)),
        "appended": _array([at.appended for at in places], _INT),
    }
    fields = {**_shared(likes), **said}
    for name, arrow_type in _FIELDS.items():
        columns[name.rstrip("_")] = _array(fields[name], arrow_type)
    for name in _NESTED:
        columns[name] = _nested(fields[name])
    columns["model_name"] = _array(fields["model_name"], _STRING)
    columns["outbox"] = _array(fields["outbox"], _STRING)
    columns["seq"] = _array(fields["seq"], _INT)
    columns["dropped"] = _nested(fields["dropped"])
    return columns


def _shared(likes: Sequence[Record]) -> dict[str, Sequence[Any]]:
    """By name what records do not say themselves; most often one speaks for all."""
    if len(set(map(id, likes))) == 1:
        return {name: (getattr(likes[0], name),) * len(likes) for name in _SHARED}
    return {name: [getattr(like, name) for like in likes] for name in _SHARED}


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
