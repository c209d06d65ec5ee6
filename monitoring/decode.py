"""Bytes of a stream message to records: ours, packed ones of ours, and the four forms that MLRun writes.

msgspec reads what is strict JSON; what Python's json writes beyond that (NaN, Infinity, lone surrogates) gets a
second try. What is no record at all comes back as `Undecodable`, with its reason, at its place.
"""

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import msgspec

from leeway.record import SCHEMA, Record

from .mlrun_records import records_of

_one = msgspec.json.Decoder(Record).decode
_several = msgspec.json.Decoder(list[Record]).decode
_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MOST_LEVELS = 600  # fewer than Python's stack takes, so that how much of it is in use decides nothing
_TEXT = rb'"(?:[^"\\]++|\\.)*+"?'  # without an end it goes up to that of the message
_BRACKETS = re.compile(_TEXT + rb"|[][{}]", re.DOTALL)
_BRACKETS_AND_COMMAS = re.compile(_TEXT + rb"|[][{},]", re.DOTALL)
_STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


@dataclass(frozen=True)
class Undecodable:
    """A message, or one part of a packed one, that is no record; `raw` holds its bytes."""

    reason: str
    raw: bytes


def decode(value: bytes) -> list[Record | Undecodable]:
    """The records of one message in order; a record's index in the list is its index in the stream position."""
    if is_deep(value):
        return _decode_deep(value)
    if value[:1] == b"[":
        return _decode_parts(value)
    try:
        record = _one(value)
    except _BROKEN:
        return _second_try(value)
    return [record if record.schema == SCHEMA else _newer(record, value)]


def is_deep(value: bytes) -> bool:
    """Whether JSON is nested deeper than MOST_LEVELS."""
    if len(value) <= 2 * MOST_LEVELS or value.count(b"[") + value.count(b"{") <= MOST_LEVELS:
        return False
    levels = accumulate(_STEPS.get(token, 0) for token in _BRACKETS.findall(value))
    return max(levels, default=0) > MOST_LEVELS


def _decode_deep(value: bytes) -> list[Record | Undecodable]:
    """A packed message gives what is not nested too deep in it; msgspec might not get through it."""
    parts = _split(value) if value[:1] == b"[" else [value]
    return [record for part in parts for record in _decode_part(part.strip())]


def _decode_part(part: bytes) -> list[Record | Undecodable]:
    """One item of a packed message, which is no packed message itself."""
    if is_deep(part):
        return [Undecodable(f"nested more than {MOST_LEVELS} levels deep", part)]
    if part[:1] == b"[":
        return [Undecodable("no record: a JSON list, expected an object", part)]
    return decode(part)


def _split(value: bytes) -> list[bytes]:
    """The items of a JSON array; all of it in one where it is none."""
    parts, level, start = [], 0, 1
    for token in _BRACKETS_AND_COMMAS.finditer(value):
        level += _STEPS.get(token[0], 0)
        if level == 0 or (level == 1 and token[0] == b","):
            parts.append(value[start : token.start()])
            start = token.end()
        if level == 0:
            return [value] if value[start:].strip() else parts
    return [value]


def _decode_parts(value: bytes) -> list[Record | Undecodable]:
    """A packed message; part by part where one is broken, so that it does not take the others with it."""
    try:
        records: list[Record] = _several(value)
    except _BROKEN:
        try:
            return [record for part in _parts(value) for record in _decode_part(bytes(part))]
        except _BROKEN:
            return _second_try(value)
    return [record if record.schema == SCHEMA else _newer(record, value) for record in records]


def _second_try(value: bytes) -> list[Record | Undecodable]:
    try:
        document = _without_surrogates(json.loads(value))
        parts = document if isinstance(document, list) else [document]
        return [record for part in parts for record in _convert(part, value)]
    except (ValueError, RecursionError) as exc:
        return [Undecodable(f"no JSON: {exc}"[:500], value)]


def _convert(document: Any, raw: bytes) -> list[Record | Undecodable]:
    """One parsed document; MLRun's records have no `schema`."""
    if not isinstance(document, dict):
        return [Undecodable(f"no record: a JSON {type(document).__name__}, expected an object", raw)]
    try:
        found = [msgspec.convert(document, Record)] if "schema" in document else records_of(document)
    except (msgspec.ValidationError, TypeError, ValueError, AttributeError, ArithmeticError) as exc:
        return [Undecodable(f"no record: {exc}"[:500], raw)]
    return [record if record.schema == SCHEMA else _newer(record, raw) for record in found]


def _newer(record: Record, raw: bytes) -> Undecodable:
    return Undecodable(f"schema {record.schema}: this reader knows schema {SCHEMA}; deploy a newer one", raw)


def _without_surrogates(value: Any) -> Any:
    """Lone surrogates become U+FFFD: no store and no client could take them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
