"""Truth as it lies in the archive."""

from typing import Any

import numpy as np
import pyarrow as pa

from .archived_values import documents_of

_NONE = np.zeros(0, int)


class ArchivedTruth:
    """All feedback records of a stream key in stream order. Truth of record k is that of the rows `firsts[k]` to
    `ends[k]` of `rows` (of the prediction; -1 where there is only a reward) and `values`."""

    def __init__(self, table: pa.Table):
        self.offsets = self.indexes = self.appended = self.firsts = self.ends = self.rows = _NONE
        self.values: list[Any] = []
        self.ids: list[str] = []
        self.is_test: list[bool] = []
        if not table.num_rows:
            return
        self.offsets, self.indexes = (table[name].to_numpy() for name in ("offset", "index"))
        self.firsts = record_starts(self.offsets, self.indexes)
        self.ends = np.append(self.firsts[1:], table.num_rows)
        self.rows = table["request_row"].fill_null(-1).to_numpy()
        self.values = documents_of(table["truth"])
        records = table.take(pa.array(self.firsts)) if len(self.firsts) < table.num_rows else table
        self.appended = records["appended"].to_numpy()
        self.ids = [id or "" for id in records["request_id"].to_pylist()]
        self.is_test = are_tests(records["labels"])

    def truths(self, number: int) -> list[tuple[int, Any]]:
        """(row, truth) of a record."""
        span = slice(int(self.firsts[number]), int(self.ends[number]))
        return [pair for pair in zip(self.rows[span].tolist(), self.values[span]) if pair[0] >= 0]


def record_starts(offsets: np.ndarray, indexes: np.ndarray) -> np.ndarray:
    """The first row of each record, given the position of each row."""
    is_first = np.ones(len(offsets), bool)
    is_first[1:] = (offsets[1:] != offsets[:-1]) | (indexes[1:] != indexes[:-1])
    return np.flatnonzero(is_first)


def are_tests(labels: pa.ChunkedArray) -> list[bool]:
    """Which records were marked as tests, given their labels."""
    if labels.null_count == len(labels):
        return [False] * len(labels)
    return [bool(each) and each.get("purpose") == "test" for each in documents_of(labels)]
