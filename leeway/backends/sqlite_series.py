"""The embedded time-series store: one SQLite file."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from leeway.interfaces import Point, SeriesStore

from .sqlite_database import SqliteDatabase

_LAYOUT = """
    CREATE TABLE line (
        id INTEGER PRIMARY KEY, series TEXT NOT NULL, endpoint TEXT NOT NULL, feature TEXT NOT NULL,
        UNIQUE (series, endpoint, feature));
    CREATE TABLE point (
        line INTEGER NOT NULL, bucket INTEGER NOT NULL, range TEXT NOT NULL,
        count INTEGER NOT NULL, total REAL, low REAL, high REAL, histogram BLOB,
        PRIMARY KEY (line, bucket, range)) WITHOUT ROWID
"""
_SUMS = """
    CREATE TABLE minute (
        line INTEGER NOT NULL, bucket INTEGER NOT NULL,
        count INTEGER NOT NULL, total REAL, low REAL, high REAL, histogram BLOB,
        PRIMARY KEY (line, bucket)) WITHOUT ROWID
"""
_MINUTE_S = 60
_AT_ONCE = 5_000
_PAGE = 20_000


class SqliteSeries(SeriesStore):
    """Points as they came; sums over ranges and steps are made by the reader, in the order of bucket and range, so
    that equal points give equal sums. A long read is many short transactions.
    """

    def __init__(self, path: Path):
        self._file = SqliteDatabase(path, _LAYOUT, _SUMS)

    def write(self, points: Iterable[Point]) -> None:
        points = list(points)
        names = {(point.series, point.endpoint, point.feature) for point in points}
        with self._file.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO line (series, endpoint, feature) VALUES (?, ?, ?)", sorted(names)
            )
            query = "SELECT id FROM line WHERE series = ? AND endpoint = ? AND feature = ?"
            lines = {name: connection.execute(query, name).fetchone()[0] for name in names}
            connection.executemany(
                "INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(lines[point.series, point.endpoint, point.feature], *_row(point)) for point in points],
            )

    def read(
        self, series: str, endpoint: str, start: int = 0, end: int = 2**62, step: int = 1, feature: str = ""
    ) -> list[Point]:
        merged: dict[int, _Sum] = {}
        for bucket, *values in self._rows((series, endpoint, feature), start, end):
            bucket -= bucket % step
            if bucket not in merged:
                merged[bucket] = _Sum()
            merged[bucket].add(*values)
        return [
            Point(
                series=series, endpoint=endpoint, feature=feature, bucket=bucket, range="", count=each.count,
                total=each.total, low=each.low, high=each.high, histogram=dict(sorted(each.histogram.items())),
            )
            for bucket, each in sorted(merged.items())
        ]  # fmt: skip

    def names(self) -> list[tuple[str, str, str]]:
        query = "SELECT series, endpoint, feature FROM line ORDER BY series, endpoint, feature"
        with self._file.reading() as connection:
            return connection.execute(query).fetchall()

    def retain(self, points_s: int, sums_s: int) -> None:
        newest = self._newest()
        before = (newest - points_s) // _MINUTE_S * _MINUTE_S
        for line in self._lines():
            while self._sum_up(line, before):
                pass
            with self._file.writing() as connection:
                connection.execute("DELETE FROM minute WHERE line = ? AND bucket < ?", (line, newest - sums_s))

    def close(self) -> None:
        self._file.close()

    def _lines(self) -> list[int]:
        with self._file.reading() as connection:
            return [line for (line,) in connection.execute("SELECT id FROM line").fetchall()]

    def _newest(self) -> int:
        query = "SELECT max((SELECT max(bucket) FROM point WHERE line = line.id)) FROM line"
        with self._file.reading() as connection:
            return connection.execute(query).fetchone()[0] or 0

    def _sum_up(self, line: int, before: int) -> bool:
        """Turn the oldest points of a line into sums by the minute, some thousands at a time; False: none was left."""
        query = """SELECT bucket, count, total, low, high, histogram FROM point WHERE line = ? AND bucket < ?
            ORDER BY bucket, range LIMIT ?"""
        with self._file.writing() as connection:
            rows = connection.execute(query, (line, before, _AT_ONCE)).fetchall()
            if not rows:
                return False
            end = rows[-1][0] + 1 if len(rows) < _AT_ONCE else rows[-1][0]  # a bucket is summed up as a whole
            end = max(end, rows[0][0] + 1)
            rows = connection.execute(query, (line, end, -1)).fetchall()
            for minute, points in groupby(rows, key=lambda row: row[0] - row[0] % _MINUTE_S):
                self._add_to_minute(connection, line, minute, [row[1:] for row in points])
            connection.execute("DELETE FROM point WHERE line = ? AND bucket < ?", (line, end))
        return True

    def _add_to_minute(self, connection: sqlite3.Connection, line: int, minute: int, points: list[tuple]) -> None:
        query = "SELECT count, total, low, high, histogram FROM minute WHERE line = ? AND bucket = ?"
        each = _Sum()
        for row in [*connection.execute(query, (line, minute)).fetchall(), *points]:
            each.add(*row)
        histogram = msgspec.msgpack.encode(each.histogram) if each.histogram else None
        values = (line, minute, each.count, each.total, each.low, each.high, histogram)
        connection.execute("INSERT OR REPLACE INTO minute VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def _rows(self, name: tuple[str, str, str], start: int, end: int) -> Iterator[tuple]:
        """(bucket, count, total, low, high, histogram) of the sums by the minute, then of every point by bucket and
        range."""
        sums = """SELECT bucket, count, total, low, high, histogram FROM minute
            WHERE line = (SELECT id FROM line WHERE series = ? AND endpoint = ? AND feature = ?)
            AND bucket >= ? AND bucket < ? ORDER BY bucket"""
        with self._file.reading() as connection:
            yield from connection.execute(sums, (*name, start - start % _MINUTE_S, end)).fetchall()
        query = """SELECT bucket, range, count, total, low, high, histogram FROM point
            WHERE line = (SELECT id FROM line WHERE series = ? AND endpoint = ? AND feature = ?)
            AND (bucket, range) > (?, ?) AND bucket < ? ORDER BY bucket, range LIMIT ?"""
        after = (start - 1, "\U0010ffff")
        while True:
            with self._file.reading() as connection:
                rows = connection.execute(query, (*name, *after, end, _PAGE)).fetchall()
            for bucket, _, *values in rows:
                yield bucket, *values
            if len(rows) < _PAGE:
                return
            after = rows[-1][:2]


class _Sum:
    """What the points of one bucket add up to."""

    def __init__(self) -> None:
        self.count, self.total, self.low, self.high = 0, 0.0, float("inf"), float("-inf")
        self.histogram: dict[int, int] = {}

    def add(self, count: int, total: float, low: float, high: float, histogram: bytes | None) -> None:
        self.count += count
        self.total += total
        self.low, self.high = min(self.low, low), max(self.high, high)
        if histogram is not None:
            for edge, number in msgspec.msgpack.decode(histogram, type=dict[int, int]).items():
                self.histogram[edge] = self.histogram.get(edge, 0) + number


def _row(point: Point) -> tuple:
    histogram = msgspec.msgpack.encode(point.histogram) if point.histogram else None
    return point.bucket, point.range, point.count, point.total, point.low, point.high, histogram
