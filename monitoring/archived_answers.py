"""Prediction rows of one endpoint as they lie in the archive, in the form in which detectors take them."""

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leeway.profile import Profile
from leeway.record import INFER, RowReference

from .answers import FedRows
from .archived_truth import are_tests, record_starts
from .archived_values import values_of
from .columns import Column, Columns, column_of
from .detectors.values import NUMBER, TEXT
from .label_values import Place

INPUT = "x_"  # what the columns of inputs begin with


class ArchivedEndpoint:
    """All rows of an endpoint, in stream order, as Arrow columns; `firsts` are the first rows of its records.

    What the archive does not keep is missing: whether a text that reads like a number was one. It is taken for one
    unless the profile knows only text in that column.
    """

    def __init__(self, table: pa.Table, profile: Profile | None):
        self._table = table
        self._types = {feature.name: feature.types for feature in getattr(profile, "features", ())}
        self._names = [
            name for name in table.column_names if name.startswith(INPUT) and table[name].null_count < table.num_rows
        ]
        self.offsets, self.indexes = (table[name].to_numpy() for name in ("offset", "index"))
        self.firsts = record_starts(self.offsets, self.indexes)
        self.ends = np.append(self.firsts[1:], table.num_rows)
        records = table if len(self.firsts) == table.num_rows else table.take(pa.array(self.firsts))
        self.ids = [id or "" for id in records["id"].to_pylist()]
        self.appended = records["appended"].to_numpy()
        self.is_shadow = pc.is_valid(records["shadow_of"]).to_pylist()
        self.is_test = are_tests(records["labels"])
        is_whole = pc.and_(pc.equal(records["op"], INFER), pc.is_null(records["error"]))
        self.is_whole = pc.fill_null(is_whole, False).to_pylist()
        self.counts = np.array(self.is_whole, bool) & ~np.array(self.is_test, bool)

    def columns(self, start: int, stop: int) -> Columns:
        """The inputs of some rows by column name."""
        return {
            name.removeprefix(INPUT): self._column(self._table[name].slice(start, stop - start), name)
            for name in self._names
        }

    def outputs(self, start: int, stop: int) -> list[Any]:
        """The answers of some rows."""
        return values_of(self._table["output"].slice(start, stop - start), [NUMBER, TEXT])

    def outputs_at(self, rows: np.ndarray) -> list[Any]:
        """The answers of rows by their numbers."""
        return values_of(self._table["output"].take(pa.array(rows)), [NUMBER, TEXT])

    def probabilities(self, start: int, stop: int) -> list[list[float | None] | None]:
        """The class probabilities of some rows."""
        column = self._table["probabilities"].slice(start, stop - start).combine_chunks()
        values, width = column.flatten(), -1
        if len(column) and not column.null_count and not values.null_count and not len(values) % len(column):
            width = len(values) // len(column)
        if width > 0 and pc.all(pc.equal(pc.list_value_length(column), width)).as_py():
            return values.to_numpy(zero_copy_only=False).reshape(-1, width).tolist()
        return column.to_pylist()

    def _column(self, values: pa.ChunkedArray, name: str) -> Column:
        if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
            return values.to_numpy().astype(float, copy=False)
        return column_of(values_of(values, self._types.get(name.removeprefix(INPUT), [NUMBER])))


class ArchivedAnswers(FedRows):
    """The records `start` to `stop` of an endpoint, as Answers are; `counted` says which of them detectors may
    see."""

    def __init__(self, endpoint: ArchivedEndpoint, start: int, stop: int, shard: int, places: list[Place]):
        self.shard, self.places, self.start = shard, places, start
        self.names: list[str] | None = None
        self.counted = endpoint.counts[start:stop].copy()
        self._endpoint = endpoint
        self._first, self._last = int(endpoint.firsts[start]), int(endpoint.ends[stop - 1])
        self._sizes = endpoint.ends[start:stop] - endpoint.firsts[start:stop]
        self.outputs = endpoint.outputs(self._first, self._last)

    def outputs_of(self, number: int) -> list[Any]:
        """The answers of a record, given its number."""
        first, last = int(self._endpoint.firsts[number]), int(self._endpoint.ends[number])
        return self.outputs[first - self._first : last - self._first]

    @cached_property
    def owner(self) -> np.ndarray:
        """The record of each row, as an index, shape (rows,)."""
        return np.repeat(np.arange(len(self.places)), self._sizes)

    @cached_property
    def fed(self) -> np.ndarray:
        """The rows that detectors may see, as indices, shape (k,)."""
        return np.flatnonzero(self.counted[self.owner])

    @cached_property
    def columns(self) -> Columns:
        """The inputs by column name."""
        return self._endpoint.columns(self._first, self._last)

    @cached_property
    def probabilities(self) -> list[list[float | None] | None] | None:
        """Class probabilities per row, None for a record that has not one for each row; None where no record has."""
        given = self._endpoint.probabilities(self._first, self._last)
        if None not in given:
            return given
        lacking = np.zeros(len(self.places), bool)
        lacking[self.owner[[row is None for row in given]]] = True
        given = [None if lacks else row for row, lacks in zip(given, lacking[self.owner].tolist())]
        return None if lacking.all() else given

    def reference(self, row: int) -> RowReference:
        """The name of a row, given its index here."""
        number = self.start + int(self.owner[row])
        return RowReference(self.position(row), self._endpoint.ids[number], self._in_record(row, number))

    def _in_record(self, row: int, number: int) -> int:
        return self._first + row - int(self._endpoint.firsts[number])
