"""Records that tell something: feedback and decisions."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from leeway.record import Record

from .label_values import Place

TEST, REWARD = "test", "reward"
_LARGEST = 1e100  # reward, so that sums of them stay finite


class Told(msgspec.Struct, gc=False, frozen=True):
    """One such record and where it lies; for feedback its (row, truth) pairs, and what became of each."""

    record: Record
    at: Place
    truths: Sequence[tuple[int | None, Any]] = ()
    outcomes: Sequence[str] = ()


def refusal(record: Record) -> str | None:
    """Why a feedback record cannot be used, or None."""
    request = record.request
    if request.reward is not None:
        rewards = request.reward if isinstance(request.reward, list) else [request.reward]
        if not all(math.isfinite(each) and abs(each) <= _LARGEST for each in rewards):
            return f"feedback with a reward that is no finite number of at most {_LARGEST:g}"
        if not request.truth:
            return None
    if not request.truth or request.truth.count(None) == len(request.truth):
        return "feedback with neither truth nor reward"
    if not request.id:
        return "feedback whose truth names no request id"
    if request.rows is None:
        return None
    if len(request.rows) != len(request.truth):
        return f"feedback with {len(request.rows)} rows and {len(request.truth)} values of truth"
    if min(request.rows) < 0:
        return f"feedback for row {min(request.rows)}; rows count from 0"
    return None


def truths_of(record: Record) -> list[tuple[int, Any]]:
    """(row, truth) pairs; a missing truth (null) says nothing."""
    truths = record.request.truth or []
    rows = range(len(truths)) if record.request.rows is None else record.request.rows
    return [(row, truth) for row, truth in zip(rows, truths) if truth is not None]
