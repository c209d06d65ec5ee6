"""Rows that a detector, a truth that a detector, and answers that no table can take; deterministically."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import msgspec

from leeway.interfaces import Message
from leeway.record import Record
from monitoring import archive_table
from monitoring.concept import ConceptWatch
from monitoring.decode import decode
from monitoring.windows import WindowWatch

CURSED = 666  # as a row's first value, or as a truth
POISON = "poison"  # as an answer
_COUNTED = ("requests", "failures", "latency_us", "rows", "labelled", "label_lag_s")  # of stopped watches, too


def curses() -> ExitStack:
    """While it is open, monitoring raises for what is cursed, and tables for what is poisoned."""
    stack = ExitStack()
    see, learn, values_array = WindowWatch.see, ConceptWatch.learn, archive_table.values_array

    def see_or_raise(watch: Any, answers: Any, points: Any) -> Any:
        if CURSED in list(answers.columns["price"]):
            raise ArithmeticError("a cursed row")
        return see(watch, answers, points)

    def learn_or_raise(watch: Any, completed: Any, points: Any) -> Any:
        if any(item.truth == CURSED for item in completed):
            raise ArithmeticError("a cursed truth")
        return learn(watch, completed, points)

    def values_or_raise(values: Any) -> Any:
        if isinstance(values, list) and POISON in values:
            raise TypeError("a poisoned answer")
        return values_array(values)

    stack.enter_context(patch.object(WindowWatch, "see", see_or_raise))
    stack.enter_context(patch.object(ConceptWatch, "learn", learn_or_raise))
    stack.enter_context(patch.object(archive_table, "values_array", values_or_raise))
    stack.enter_context(patch.object(logging.getLogger("leeway.consumer"), "disabled", True))
    return stack


def is_poisoned(record: Record) -> bool:
    return POISON in record.resp.outputs


def cursed_from(stream: Sequence[Message]) -> dict[str, int]:
    """The endpoints that have something cursed, and the first offset at which it may show."""
    records = [(message.offset, record) for message in stream for record in decode(message.value)]
    told = {(r.deployment, r.request.id) for _, r in records if r.request.truth == [CURSED]}
    found: dict[str, int] = {}
    for offset, record in records:
        rows = record.request.inputs
        if rows and (rows[0][0] == CURSED or (record.deployment, record.id) in told):
            found.setdefault(record.endpoint_id, offset)
    return {endpoint: min(offset, _first_told(records, endpoint, offset)) for endpoint, offset in found.items()}


def comparable(outcome: dict[str, Any], cursed: dict[str, int]) -> dict[str, Any]:
    """What must be as on a calm day: of endpoints with something cursed, which a restart lets go on, the verdicts
    before it and what is counted; everything of all others."""

    def is_calm(endpoint: str, offset: int) -> bool:
        return offset < cursed.get(endpoint, offset + 1)

    tables = outcome["tables"]
    verdicts = [row for row in tables["verdict"] if is_calm(row["endpoint"], row["offset"])]
    kept = {row["id"] for row in verdicts}
    return {
        **outcome,
        "tables": {**tables, "verdict": verdicts},
        "verdicts": [each for each in outcome["verdicts"] if _id(each) in kept],
        "points": [
            (name, points) for name, points in outcome["points"] if name[0] in _COUNTED or name[1] not in cursed
        ],
        "incidents": [each for each in outcome["incidents"] if each.endpoint not in cursed],
    }


def _first_told(records: Sequence[tuple[int, Record]], endpoint: str, otherwise: int) -> int:
    """Where the first cursed truth of an endpoint's deployment lies."""
    deployment = endpoint.split("/")[2]
    return min((o for o, r in records if r.request.truth == [CURSED] and r.deployment == deployment), default=otherwise)


def _id(verdict: bytes) -> str:
    return msgspec.json.decode(verdict)["id"]
