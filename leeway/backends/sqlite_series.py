"""The embedded time-series store: one SQLite file."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
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
_MARKS = """
    ALTER TABLE line ADD COLUMN summed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE line ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
    UPDATE line SET gone = coalesce((SELECT max(minute.bucket) + 60 FROM minute WHERE minute.line = line.id), 0);
    UPDATE line SET summed = gone
"""
_MINUTE_S = 60
_AT_ONCE = 5_000
_STRETCH_S, _INF = 100_000, float("inf")
_ADDED = """SELECT bucket - bucket % ? AS step, sum(count), sum(total), min(low), max(high), count(histogram) FROM {}
    WHERE line = ? AND bucket >= ? AND bucket < ? GROUP BY step"""
_BINS = """SELECT bucket - bucket % ?, histogram FROM {}
    WHERE line = ? AND bucket >= ? AND bucket < ? AND histogram IS NOT NULL ORDER BY bucket"""


class SqliteSeries(SeriesStore):
    """Points as they came; the reader adds them up over ranges and steps. A long read is many short transactions.

    `retain` also sums up the minutes that are over, for readers who want no finer steps. A line's `summed` says up to
    where its minutes hold all that there is; a point that comes for one of them sets it back. Its `gone` says up to
    where points were deleted; those that still come there are added to their minutes.
    """

    def __init__(self, path: Path):
        self._file = SqliteDatabase(path, _LAYOUT, _SUMS, _MARKS)

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
            first: dict[int, int] = {}
            for point in points:
                line = lines[point.series, point.endpoint, point.feature]
                first[line] = min(first.get(line, point.bucket), point.bucket)
            query = "UPDATE line SET summed = max(gone, ?) WHERE id = ? AND summed > ?"
            connection.executemany(query, [(at - at % _MINUTE_S, line, at) for line, at in first.items()])

    def read(
        self, series: str, endpoint: str, start: int = 0, end: int = 2**62, step: int = 1, feature: str = ""
    ) -> list[Point]:
        merged: dict[int, _Sum] = {}
        for bucket, *values in self._sums((series, endpoint, feature), start, end, step):
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
            for act in (
                self._add_late,
                partial(self._sum_up, end=max(newest, before)),
                partial(self._delete, before=before),
            ):
                while act(line):
                    pass
            with self._file.writing() as connection:
                connection.execute("DELETE FROM minute WHERE line = ? AND bucket < ?", (line, newest - sums_s))

    def close(self) -> None:
        self._file.close()

    def _lines(self) -> list[int]:
        with self._file.reading() as connection:
            return [line for (line,) in connection.execute("SELECT id FROM line").fetchall()]

    def _newest(self) -> int:
        """The newest bucket, of points or of minutes whose points are gone."""
        query = """SELECT max(max(coalesce((SELECT max(bucket) FROM point WHERE point.line = line.id), 0),
            coalesce((SELECT max(bucket) FROM minute WHERE minute.line = line.id), 0))) FROM line"""
        with self._file.reading() as connection:
            return connection.execute(query).fetchone()[0] or 0

    def _add_late(self, line: int) -> bool:
        """Add points to minutes whose own are gone, some thousands at a time; False: none was left."""
        with self._file.writing() as connection:
            _, gone = _marks(connection, line)
            rows = _whole_minutes(connection, line, 0, gone)
            known = "SELECT count, total, low, high, histogram FROM minute WHERE line = ? AND bucket = ?"
            for minute, points in groupby(rows, key=_minute_of):
                _put_minute(connection, line, minute, [*connection.execute(known, (line, minute)), *_values(points)])
            if rows:
                query = "DELETE FROM point WHERE line = ? AND bucket < ?"
                connection.execute(query, (line, _minute_of(rows[-1]) + _MINUTE_S))
        return bool(rows)

    def _sum_up(self, line: int, end: int) -> bool:
        """Sum up the oldest minutes that are over and not summed up, likewise."""
        with self._file.writing() as connection:
            summed, _ = _marks(connection, line)
            rows = _whole_minutes(connection, line, summed, end - end % _MINUTE_S)
            for minute, points in groupby(rows, key=_minute_of):
                _put_minute(connection, line, minute, _values(points))
            if rows:
                query = "UPDATE line SET summed = ? WHERE id = ?"
                connection.execute(query, (_minute_of(rows[-1]) + _MINUTE_S, line))
        return bool(rows)

    def _delete(self, line: int, before: int) -> bool:
        """Delete points that are older and summed up, likewise."""
        with self._file.writing() as connection:
            summed, gone = _marks(connection, line)
            rows = _whole_minutes(connection, line, gone, min(before, summed))
            if rows:
                end = _minute_of(rows[-1]) + _MINUTE_S
                connection.execute("DELETE FROM point WHERE line = ? AND bucket < ?", (line, end))
                connection.execute("UPDATE line SET gone = ? WHERE id = ?", (end, line))
        return bool(rows)

    def _sums(self, name: tuple[str, str, str], start: int, end: int, step: int) -> Iterator[tuple]:
        """(bucket of `step` seconds, count, total, low, high, histogram) of the minutes, as far as they hold what is
        wanted, then of every other point; several of one bucket."""
        with self._file.reading() as connection:
            query = "SELECT id, summed, gone FROM line WHERE series = ? AND endpoint = ? AND feature = ?"
            line, summed, gone = connection.execute(query, name).fetchone() or (0, 0, 0)
        in_minutes = step % _MINUTE_S == start % _MINUTE_S == 0 and (end % _MINUTE_S == 0 or end >= summed)
        until = summed if in_minutes else gone
        yield from self._added("minute", line, start - start % _MINUTE_S, min(end, until), step)
        yield from self._added("point", line, start, min(end, gone), step)
        yield from self._added("point", line, max(start, until), end, step)

    def _added(self, table: str, line: int, start: int, end: int, step: int) -> Iterator[tuple]:
        """What a table has from `start` up to `end`, added up here by SQLite, histograms aside: one transaction for
        each stretch of some thousand buckets."""
        with self._file.reading() as connection:
            query = f"SELECT min(bucket), max(bucket) FROM {table} WHERE line = ? AND bucket >= ? AND bucket < ?"
            first, last = connection.execute(query, (line, start, end)).fetchone()
        while first is not None and first <= last:
            following = first - first % step + max(_STRETCH_S, step)
            following -= following % step
            place = (line, first, min(following, end))
            with self._file.reading() as connection:
                sums = connection.execute(_ADDED.format(table), (step, *place)).fetchall()
                with_bins = any(row[-1] for row in sums)
                bins = connection.execute(_BINS.format(table), (step, *place)).fetchall() if with_bins else ()
            yield from ((*row[:-1], None) for row in sums)
            yield from ((bucket, 0, 0.0, _INF, -_INF, histogram) for bucket, histogram in bins)
            first = following


def _marks(connection: sqlite3.Connection, line: int) -> tuple[int, int]:
    """Up to where a line is summed up, and up to where its points are gone."""
    return connection.execute("SELECT summed, gone FROM line WHERE id = ?", (line,)).fetchone()


def _whole_minutes(connection: sqlite3.Connection, line: int, start: int, end: int) -> list[tuple]:
    """The points (bucket, count, ...) of the oldest minutes from `start` on that end by `end`: some thousands."""
    query = """SELECT bucket, count, total, low, high, histogram FROM point
        WHERE line = ? AND bucket >= ? AND bucket < ? ORDER BY bucket, range LIMIT ?"""
    rows = connection.execute(query, (line, start, end, _AT_ONCE)).fetchall()
    if len(rows) < _AT_ONCE:
        return rows
    last = max(_minute_of(rows[-1]), _minute_of(rows[0]) + _MINUTE_S)
    return connection.execute(query, (line, start, last, -1)).fetchall()


def _put_minute(connection: sqlite3.Connection, line: int, minute: int, parts: Iterable[Sequence]) -> None:
    each = _Sum()
    for part in parts:
        each.add(*part)
    histogram = msgspec.msgpack.encode(each.histogram) if each.histogram else None
    values = (line, minute, each.count, each.total, each.low, each.high, histogram)
    connection.execute("INSERT OR REPLACE INTO minute VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _minute_of(row: Sequence) -> int:
    return row[0] - row[0] % _MINUTE_S


def _values(rows: Iterable[Sequence]) -> Iterator[Sequence]:
    return (row[1:] for row in rows)


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
