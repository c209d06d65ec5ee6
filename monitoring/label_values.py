"""What the label book remembers, and what comes out of it."""

from typing import Any, NamedTuple

import msgspec

LIVE, TEST = "live", "test"


class Who(NamedTuple):
    """Whose entry it is: stream key, endpoint, lane (live, test, shadow:<endpoint>; truth for what waits), and the arm
    that was chosen, where there was a choice."""

    key: str
    endpoint: str
    lane: str
    arm: str = ""


class Entry(msgspec.Struct, gc=False, array_like=True):
    """A prediction of `rows` rows, or (rows = 0) a record of truth; `who` is the number of its Who.

    `truths` are (row, truth, joined): on a record of truth what it brought first, and whether that met a prediction
    when it came; on a prediction what was known before it.
    """

    who: int
    id: str
    clock: int
    offset: int
    index: int
    rows: int
    outputs: list[Any]
    truths: tuple[tuple[int, Any, bool], ...] = ()


class Place(msgspec.Struct, gc=False, frozen=True):
    """Where a record lies in its shard, when it was appended, and the shard's clock there (epoch seconds)."""

    offset: int
    index: int
    appended: int
    clock: int


class Completed(msgspec.Struct, gc=False, frozen=True):
    """A row of a prediction and its truth, and the place of the record that brought them together."""

    entry: Entry
    row: int
    output: Any
    truth: Any
    at: Place


class Orphan(NamedTuple):
    """Truth that never met its prediction, and where it came."""

    key: str
    id: str
    row: int
    truth: Any
    came: Place
