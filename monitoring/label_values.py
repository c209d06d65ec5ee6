"""What the label book remembers, and what comes out of it."""

from typing import Any, NamedTuple

import msgspec

LIVE, TEST = "live", "test"


class _Nothing:
    """No truth yet; None would be a value of its own."""


NOTHING: Any = _Nothing()


class Who(NamedTuple):
    """Whose entry it is: stream key, endpoint, and lane (live, test, shadow:<endpoint>; truth for what waits)."""

    key: str
    endpoint: str
    lane: str


class Waiting(msgspec.Struct, gc=False):
    """One remembered prediction of `rows` rows, or (rows = 0) truth that came before it.

    One row: `outputs` is the output and `truth` its truth or NOTHING, as most requests have one row and millions may
    wait. Else `outputs` is a list and `truth` a dict by row. Outputs are let go when every row has its truth.
    """

    who: int
    id: str
    serial: int
    clock: int
    offset: int
    index: int
    rows: int
    outputs: Any
    truth: Any

    def has(self, row: int) -> bool:
        """Whether the truth of that row is known."""
        return (row == 0 and self.truth is not NOTHING) if self.rows == 1 else row in self.truth

    def truth_of(self, row: int) -> Any:
        return self.truth if self.rows == 1 else self.truth[row]

    def output_of(self, row: int) -> Any:
        return self.outputs if self.rows == 1 else self.outputs[row]

    def learn(self, row: int, truth: Any) -> None:
        """Keep the truth of a row."""
        if self.rows == 1:
            self.truth, self.outputs = truth, None
        else:
            self.truth[row] = truth
            if len(self.truth) == self.rows:
                self.outputs = None


class Place(msgspec.Struct, gc=False, frozen=True):
    """Where a record lies in its shard, when it was appended, and the shard's clock there (epoch seconds)."""

    offset: int
    index: int
    appended: int
    clock: int


class Completed(msgspec.Struct, gc=False, frozen=True):
    """A row of a prediction and its truth, and the place of the record that brought them together."""

    entry: Waiting
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
