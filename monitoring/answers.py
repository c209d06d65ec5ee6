"""The prediction records of one endpoint in one batch, as rows and columns."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from leeway.record import INFER, Position, Record, RowReference

from .columns import Columns, columns_of, cut, gather, named, take
from .label_values import Place

COUNTED, DUPLICATE_ID, TEST = "counted", "duplicate_id", "test"


def is_whole(record: Record) -> bool:
    """Whether it answers each of its rows, so that detectors may see it and truth may come for it."""
    answered, asked = len(record.resp.outputs), len(record.request.inputs)
    return answered > 0 and (asked == answered or asked == 0) and record.op == INFER and record.error is None


class FedRows:
    """What batches of answers have in common, whatever they are made of: their `places` by record, and by row the
    record that is its `owner`, the `columns`, and (as indices, shape (k,)) those that detectors may see: `fed`."""

    shard: int
    places: Sequence[Place]
    owner: np.ndarray
    columns: Columns
    fed: np.ndarray

    @cached_property
    def clocks(self) -> np.ndarray:
        """The shard's clock at each record, shape (records,)."""
        return np.array([at.clock for at in self.places])

    def fed_columns(self, start: int, stop: int) -> Columns:
        """The inputs of rows `start` to `stop` of those that detectors may see."""
        if len(self.fed) == len(self.owner):
            return cut(self.columns, start, stop)
        return take(self.columns, self.fed[start:stop])

    def fed_values(self, values: list[Any], start: int, stop: int) -> list[Any]:
        """Of one value per row, those of rows `start` to `stop` of those that detectors may see."""
        if len(self.fed) == len(self.owner):
            return values[start:stop]
        return [values[row] for row in self.fed[start:stop]]

    def position(self, row: int) -> Position:
        at = self.places[self.owner[row]]
        return Position(self.shard, at.offset, at.index)


class Answers(FedRows):
    """Records of one endpoint in stream order; filled first, read then. `names` are the columns of nameless rows."""

    def __init__(self, shard: int, key: str, endpoint: str, live: int = 0):
        self.shard, self.key, self.endpoint = shard, key, endpoint
        self.live = live  # under which number the label book knows its live answers
        self.names: list[str] | None = None
        self.taken: list[tuple[Record, Place, str, bool]] = []  # each with its status, and whether it is whole

    @cached_property
    def records(self) -> tuple[Record, ...]:
        return self._parts[0]

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return self._parts[1]

    @cached_property
    def statuses(self) -> tuple[str, ...]:
        return self._parts[2]

    @cached_property
    def whole(self) -> tuple[bool, ...]:
        return self._parts[3]

    @cached_property
    def _parts(self) -> tuple[tuple[Any, ...], ...]:
        return tuple(zip(*self.taken))

    @cached_property
    def sizes(self) -> list[int]:
        """Rows of each record; one where it holds neither inputs nor outputs."""
        sizes = [len(record.request.inputs) for record in self.records]
        if 0 in sizes:
            sizes = [size or len(record.resp.outputs) or 1 for size, record in zip(sizes, self.records)]
        return sizes

    @cached_property
    def is_flat(self) -> bool:
        """Whether every record has one row."""
        return self.sizes.count(1) == len(self.sizes)

    @cached_property
    def owner(self) -> np.ndarray:
        """The record of each row, as an index, shape (rows,)."""
        records = np.arange(len(self.records))
        return records if self.is_flat else np.repeat(records, self.sizes)

    @cached_property
    def row(self) -> np.ndarray:
        """The index of each row in its record, shape (rows,)."""
        if self.is_flat:
            return np.zeros(len(self.sizes), int)
        starts = np.cumsum(self.sizes) - self.sizes
        return np.arange(len(self.owner)) - starts[self.owner]

    @cached_property
    def outputs(self) -> list[Any]:
        """One output per row, None where the record does not answer its rows one by one."""
        return self._by_row([record.resp.outputs for record in self.records])

    @cached_property
    def probabilities(self) -> list[list[float | None] | None] | None:
        """Class probabilities per row; None where no record has any."""
        given = [record.resp.probabilities for record in self.records]
        return self._by_row([some or [] for some in given]) if any(given) else None

    @cached_property
    def columns(self) -> Columns:
        """The inputs by column name."""
        features = [record.features for record in self.records]
        rows = [record.request.inputs or [[]] * size for record, size in zip(self.records, self.sizes)]
        if features.count(features[0]) == len(features):
            flat = list(chain.from_iterable(rows))
            return columns_of(flat, self._names_of(features[0], flat[0]))
        return gather([named(row, self._names_of(own, row)) for own, some in zip(features, rows) for row in some])

    @cached_property
    def fed(self) -> np.ndarray:
        """The rows that detectors may see, as indices, shape (k,)."""
        count = len(self.whole)
        if self.whole.count(True) == self.statuses.count(COUNTED) == count:
            return np.arange(len(self.owner))
        good = [whole and status is COUNTED for whole, status in zip(self.whole, self.statuses)]
        return np.flatnonzero(np.array(good)[self.owner])

    def counted_rows(self) -> list[int]:
        """Rows of each record, none of one that was not counted."""
        return [size if status is COUNTED else 0 for size, status in zip(self.sizes, self.statuses)]

    def reference(self, row: int) -> RowReference:
        """The name of a row, given its index here."""
        return RowReference(self.position(row), self.records[self.owner[row]].id, int(self.row[row]))

    def _by_row(self, values: list[list[Any]]) -> list[Any]:
        """One value per row; None for the rows of a record that has another number of them."""
        if list(map(len, values)) != self.sizes:
            values = [some if len(some) == size else [None] * size for some, size in zip(values, self.sizes)]
        return list(chain.from_iterable(values))

    def _names_of(self, features: list[str] | None, row: Any) -> list[str]:
        width = len(row) if isinstance(row, list) else 1
        if features is not None:
            return features
        if self.names is not None and len(self.names) == width:
            return self.names
        return [f"f{i}" for i in range(width)]
