"""The prediction records of one endpoint in one batch, as rows and columns."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from leeway.record import INFER, Position, Record, Request, Response, RowReference
from leeway.record_writer import Said

from .columns import Columns, columns_of, cut, gather, join, named, named_table, table_of, take
from .label_values import Place
from .outcomes import COUNTED
from .taken import Taken


def is_whole(like: Record, said: Said) -> bool:
    """Whether it answers each of its rows, so that detectors may see it and truth may come for it."""
    answered, asked = len(said.resp.outputs), len(said.request.inputs)
    return answered > 0 and (asked == answered or asked == 0) and like.op == INFER and said.error is None


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


class _Inputs(NamedTuple):
    """Rows that followed each other: as a table where all are numbers, shape (n, width), else one by one. `features`
    are the names that their records give, by row; one list for all of a table."""

    size: int
    features: list[str] | list[list[str] | None] | None
    table: np.ndarray | None
    rows: list[Any]


class Answers(FedRows, Taken):
    """Those of one endpoint, taken with their status and whether they are whole. `names` are the columns of nameless
    rows."""

    def __init__(self, shard: int, key: str, endpoint: str, live: int = 0):
        super().__init__()
        self.shard, self.key, self.endpoint = shard, key, endpoint
        self.live = live  # under which number the label book knows its live answers
        self.names: list[str] | None = None
        self.statuses: list[str] = []
        self.whole: list[bool] = []
        self.sizes: list[int] = []  # rows of each record; one where it holds neither inputs nor outputs
        self.outputs: list[Any] = []  # one per row, None where the record does not answer its rows one by one
        self._probabilities: list[tuple[int, list[Any] | None]] = []
        self._inputs: list[_Inputs] = []

    @cached_property
    def is_flat(self) -> bool:
        """Whether every record has one row."""
        return self.sizes.count(1) == len(self.sizes)

    @cached_property
    def owner(self) -> np.ndarray:
        """The record of each row, as an index, shape (rows,)."""
        records = np.arange(len(self.sizes))
        return records if self.is_flat else np.repeat(records, self.sizes)

    @cached_property
    def row(self) -> np.ndarray:
        """The index of each row in its record, shape (rows,)."""
        if self.is_flat:
            return np.zeros(len(self.sizes), int)
        starts = np.cumsum(self.sizes) - self.sizes
        return np.arange(len(self.owner)) - starts[self.owner]

    @cached_property
    def probabilities(self) -> list[list[float | None] | None] | None:
        """Class probabilities per row; None where no record has any."""
        parts = self._probabilities
        if all(given is None for _, given in parts):
            return None
        return list(chain.from_iterable([None] * rows if given is None else given for rows, given in parts))

    @cached_property
    def columns(self) -> Columns:
        """The inputs by column name."""
        first = self._inputs[0]
        if all(_are_alike(first, other) for other in self._inputs):
            table = np.concatenate([part.table for part in self._inputs])
            return named_table(table, self._names_of(first.features, table.shape[1]))
        return join([(self._named(part), part.size) for part in self._inputs])

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
        if self.statuses.count(COUNTED) == len(self.statuses):
            return self.sizes
        return [size if status is COUNTED else 0 for size, status in zip(self.sizes, self.statuses)]

    def reference(self, row: int) -> RowReference:
        """The name of a row, given its index here."""
        return RowReference(self.position(row), self.said["id"][self.owner[row]], int(self.row[row]))

    def _keep(
        self,
        likes: tuple[Record, ...],
        requests: tuple[Request, ...],
        answers: tuple[Response, ...],
        statuses: tuple[str, ...],
        whole: tuple[bool, ...],
    ) -> None:
        self.statuses += statuses
        self.whole += whole
        asked = [each.inputs for each in requests]
        sizes = list(map(len, asked))
        if 0 in sizes:
            sizes = [size or len(each.outputs) or 1 for size, each in zip(sizes, answers)]
            asked = [inputs or [[]] * size for inputs, size in zip(asked, sizes)]
        self.sizes += sizes
        self.outputs += _by_row([each.outputs for each in answers], sizes)
        given = [each.probabilities or [] for each in answers]
        self._probabilities.append((sum(sizes), _by_row(given, sizes) if any(given) else None))
        self._inputs.append(_inputs([each.features for each in likes], list(chain.from_iterable(asked)), sizes))

    def _named(self, inputs: _Inputs) -> Columns:
        if inputs.table is not None:
            return named_table(inputs.table, self._names_of(inputs.features, inputs.table.shape[1]))
        if _is_one(inputs.features) and len(set(map(_width, inputs.rows))) == 1:
            return columns_of(inputs.rows, self._names_of(inputs.features[0], _width(inputs.rows[0])))
        pairs = zip(inputs.features, inputs.rows)
        return gather([named(row, self._names_of(own, _width(row))) for own, row in pairs])

    def _names_of(self, features: list[str] | None, width: int) -> list[str]:
        if features is not None:
            return features
        if self.names is not None and len(self.names) == width:
            return self.names
        return [f"f{i}" for i in range(width)]


def _inputs(features: list[list[str] | None], rows: list[Any], sizes: list[int]) -> _Inputs:
    """Those of some records."""
    table = table_of(rows) if _is_one(features) else None
    if table is not None:
        return _Inputs(len(rows), features[0], table, [])
    return _Inputs(len(rows), [own for own, size in zip(features, sizes) for _ in range(size)], None, rows)


def _are_alike(first: _Inputs, other: _Inputs) -> bool:
    """Whether they are tables with the same columns."""
    if first.table is None or other.table is None or first.table.shape[1] != other.table.shape[1]:
        return False
    return first.features is other.features or first.features == other.features


def _is_one(features: list[list[str] | None]) -> bool:
    return features.count(features[0]) == len(features)


def _width(row: Any) -> int:
    return len(row) if isinstance(row, list) else 1


def _by_row(values: list[list[Any]], sizes: list[int]) -> list[Any]:
    """One value per row; None for the rows of a record that has another number of them."""
    if list(map(len, values)) != sizes:
        values = [some if len(some) == size else [None] * size for some, size in zip(values, sizes)]
    return list(chain.from_iterable(values))
