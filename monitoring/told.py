"""Records that tell something: feedback and decisions."""

import math
from itertools import chain
from typing import Any

import msgspec

from leeway.record import Record, Request, Response
from leeway.record_writer import Said

from .label_values import Place
from .taken import Taken

_LARGEST = 1e100  # reward, so that sums of them stay finite


class Told(msgspec.Struct, gc=False, frozen=True):
    """A decision in two parts (see RecordReader), where it lies, and what became of it."""

    like: Record
    said: Said
    at: Place
    outcome: str | None = None


class Feedback(Taken):
    """That of one stream key, taken with its (row, truth) pairs and what became of each."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []  # of the requests that it speaks of
        self.rewards: list[Any] = []
        self.sizes: list[int] = []  # truths of each record; one without a row where it only brings a reward
        self.truths: list[tuple[int | None, Any]] = []
        self.outcomes: list[str] = []

    def _keep(
        self,
        likes: tuple[Record, ...],
        requests: tuple[Request, ...],
        answers: tuple[Response, ...],
        truths: tuple[list[tuple[int | None, Any]], ...],
        outcomes: tuple[list[str], ...],
    ) -> None:
        self.ids += [each.id for each in requests]
        self.rewards += [each.reward for each in requests]
        self.sizes += map(len, truths)
        self.truths += chain.from_iterable(truths)
        self.outcomes += chain.from_iterable(outcomes)


def refusal(request: Request) -> str | None:
    """Why a feedback record that asked this cannot be used, or None."""
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


def truths_of(request: Request) -> list[tuple[int, Any]]:
    """(row, truth) pairs; a missing truth (null) says nothing."""
    truths = request.truth or []
    rows = range(len(truths)) if request.rows is None else request.rows
    return [(row, truth) for row, truth in zip(rows, truths) if truth is not None]
