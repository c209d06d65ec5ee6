"""The time-series store in PostgreSQL: partitions by day, or TimescaleDB's chunks."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from leeway.errors import StoreError
from leeway.interfaces import Point, SeriesStore

from .postgres_database import PostgresDatabase
from .postgres_partitions import DAY_S, MINUTE_S, PostgresPartitions, summed
from .timescale_chunks import TimescaleChunks

if TYPE_CHECKING:
    import psycopg

_NO_PARTITION = "23514"
_COPIED = 500
_WANTED = "unnest(%b::text[], %b::text[], %b::text[]) AS wanted (series, endpoint, feature)"
_MAKE_LINES = f"""INSERT INTO leeway_line (series, endpoint, feature) SELECT * FROM {_WANTED} ORDER BY 1, 2, 3
    ON CONFLICT (series, endpoint, feature) DO NOTHING"""
_FIND_LINES = f"""SELECT id, series, endpoint, feature FROM leeway_line
    JOIN {_WANTED} USING (series, endpoint, feature)"""
_INTO = """INSERT INTO leeway_point {source}
    ON CONFLICT (line, bucket, range) DO UPDATE SET count = excluded.count, total = excluded.total,
        low = excluded.low, high = excluded.high, histogram = excluded.histogram"""
_ARRAYS = _INTO.format(
    source="""SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::float8[], %b::float8[],
    %b::float8[], %b::bytea[])"""
)
_TYPES = ("int8", "int8", "text", "int8", "float8", "float8", "float8", "bytea")
_READ = """WITH wanted AS (SELECT id FROM leeway_line WHERE series = %s AND endpoint = %s AND feature = %s),
    found AS (
        SELECT bucket, '' AS range, count, total, low, high, histogram FROM leeway_minute
        WHERE line = (SELECT id FROM wanted) AND bucket >= %s AND bucket < %s
        UNION ALL
        SELECT bucket, range, count, total, low, high, histogram FROM leeway_point
        WHERE line = (SELECT id FROM wanted) AND bucket >= %s AND bucket < %s)
    SELECT bucket - bucket %% %s AS step, sum(count)::bigint, sum(total ORDER BY bucket, range), min(low), max(high),
        array_agg(histogram ORDER BY bucket, range) FILTER (WHERE histogram IS NOT NULL)
    FROM found GROUP BY step ORDER BY step"""
_NAMES = "SELECT series, endpoint, feature FROM leeway_line ORDER BY series, endpoint, feature"


class PostgresSeries(SeriesStore):
    """Points as they came; the server adds them up, in the order of bucket and range, so that equal points give equal
    sums, but for histograms, which are added here. Days begin at multiples of 86,400 s.
    """

    def __init__(self, database: PostgresDatabase):
        self._database = database
        self._lines: dict[tuple[str, str, str], int] = {}
        self._days: set[int] = set()
        self._days_of: PostgresPartitions | TimescaleChunks | None = None

    def write(self, points: Iterable[Point]) -> None:
        points = list({(p.series, p.endpoint, p.feature, p.bucket, p.range): p for p in points}.values())
        if not points:
            return
        try:
            self._write(points)
        except StoreError as error:
            if getattr(error.__cause__, "sqlstate", "") != _NO_PARTITION:
                raise
            self._days = set()  # one that was known has been summed up, and dropped
            self._write(points)

    def _write(self, points: Sequence[Point]) -> None:
        for day in sorted({point.bucket // DAY_S for point in points} - self._days):
            self._add_day(day)
        lines = dict(self._lines)
        with self._database.transaction() as connection:
            lines |= self._new_lines(connection, points)
            _write(connection, [_row(lines, point) for point in points])
        self._lines = lines

    def read(
        self, series: str, endpoint: str, start: int = 0, end: int = 2**62, step: int = 1, feature: str = ""
    ) -> list[Point]:
        with self._database.reading() as connection:
            rows = connection.execute(
                _READ,
                (series, endpoint, feature, start - start % MINUTE_S, end, start, end, step),
                binary=True,
            ).fetchall()
        return [
            Point(
                series=series, endpoint=endpoint, feature=feature, bucket=bucket, range="", count=count, total=total,
                low=low, high=high, histogram=summed(histograms),
            )
            for bucket, count, total, low, high, histograms in rows
        ]  # fmt: skip

    def names(self) -> list[tuple[str, str, str]]:
        with self._database.reading() as connection:
            return connection.execute(_NAMES).fetchall()

    def retain(self, points_s: int, sums_s: int) -> None:
        """Of points older than `points_s` seconds keep sums by the minute, and those no longer than `sums_s`; the
        newest bucket tells the time. Days are summed up as a whole, when the last of their points is that old.
        """
        partitions = self._partitions()
        newest = partitions.newest()
        for day in partitions.days():
            if (day + 1) * DAY_S <= newest - points_s:
                partitions.sum_up(day)
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM leeway_minute WHERE bucket < %s", (newest - sums_s,))

    def close(self) -> None:
        self._database.close()

    def _new_lines(self, connection: "psycopg.Connection", points: Sequence[Point]) -> dict[tuple[str, str, str], int]:
        unknown = {(p.series, p.endpoint, p.feature) for p in points} - self._lines.keys()
        if not unknown:
            return {}
        wanted = [list(column) for column in zip(*sorted(unknown))]
        connection.execute(_MAKE_LINES.encode(), wanted)
        rows = connection.execute(_FIND_LINES.encode(), wanted).fetchall()  # sees those that another made meanwhile
        return {(series, endpoint, feature): line for line, series, endpoint, feature in rows}

    def _add_day(self, day: int) -> None:
        self._partitions().add(day)
        self._days.add(day)

    def _partitions(self) -> PostgresPartitions | TimescaleChunks:
        if self._days_of is None:
            chunks = TimescaleChunks.are_there(self._database)
            self._days_of = TimescaleChunks(self._database) if chunks else PostgresPartitions(self._database)
        return self._days_of


def _write(connection: "psycopg.Connection", rows: Sequence[tuple]) -> None:
    """A few rows in one statement; many by COPY through a temporary table."""
    if len(rows) < _COPIED:
        connection.execute(_ARRAYS, [list(column) for column in zip(*rows)])
        return
    connection.execute("CREATE TEMP TABLE leeway_new (LIKE leeway_point) ON COMMIT DROP")
    with connection.cursor().copy("COPY leeway_new FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)
    connection.execute(_INTO.format(source="SELECT * FROM leeway_new").encode())


def _row(lines: dict[tuple[str, str, str], int], point: Point) -> tuple:
    histogram = msgspec.msgpack.encode(point.histogram) if point.histogram else None
    line = lines[point.series, point.endpoint, point.feature]
    return (
        line,
        point.bucket,
        point.range,
        point.count,
        float(point.total),
        float(point.low),
        float(point.high),
        histogram,
    )
