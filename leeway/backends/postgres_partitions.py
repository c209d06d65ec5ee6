"""The points of PostgreSQL by day: a partition for each, until it is summed up by the minute."""

from typing import TYPE_CHECKING

import msgspec

from .postgres_database import PostgresDatabase

if TYPE_CHECKING:
    import psycopg

DAY_S, MINUTE_S = 86_400, 60
LOCK = 0x1EE3A8
_DAYS = """SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
    WHERE inhparent = 'leeway_point'::regclass"""
_SUM_UP = f"""INSERT INTO leeway_minute AS old
    SELECT line, bucket - bucket % {MINUTE_S}, sum(count), sum(total ORDER BY bucket, range), min(low), max(high), NULL
    FROM {{day}} GROUP BY 1, 2
    ON CONFLICT (line, bucket) DO UPDATE SET count = old.count + excluded.count, total = old.total + excluded.total,
        low = least(old.low, excluded.low), high = greatest(old.high, excluded.high)"""
_HISTOGRAMS = f"""SELECT line, minute, array_agg(histogram) FROM (
        SELECT line, bucket - bucket %% {MINUTE_S} AS minute, histogram FROM {{day}} WHERE histogram IS NOT NULL
        UNION ALL
        SELECT line, bucket, histogram FROM leeway_minute
        WHERE histogram IS NOT NULL AND bucket >= %s AND bucket < %s) AS found
    GROUP BY line, minute"""
_ADD_HISTOGRAMS = """UPDATE leeway_minute SET histogram = new.histogram
    FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[]) AS new (line, bucket, histogram)
    WHERE leeway_minute.line = new.line AND leeway_minute.bucket = new.bucket"""
_HISTOGRAM = msgspec.msgpack.Decoder(dict[int, int])


class PostgresPartitions:
    """A day is the number of whole days since the epoch. They change by one at a time, under a lock."""

    def __init__(self, database: PostgresDatabase):
        self._database = database

    def days(self) -> list[int]:
        """The days that have a partition, in order."""
        with self._database.reading() as connection:
            names = connection.execute(_DAYS).fetchall()
        return sorted(int(name.rpartition("_")[2]) for (name,) in names)

    def newest(self) -> int:
        """The newest bucket, 0 where there is none."""
        for day in reversed(self.days()):
            with self._database.reading() as connection:
                row = connection.execute(f"SELECT max(bucket) FROM {_name(day)}".encode()).fetchone()
            if row and row[0] is not None:
                return row[0]
        return 0

    def add(self, day: int) -> None:
        """Make the partition of a day where it is absent; readers and writers go on meanwhile."""
        with self._database.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            if not _is_there(connection, day):
                first, name = day * DAY_S, _name(day)
                made = f"""CREATE TABLE {name} (LIKE leeway_point INCLUDING ALL);
                    ALTER TABLE leeway_point ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({first + DAY_S})"""
                connection.execute(made.encode())

    def sum_up(self, day: int) -> None:
        """Put sums by the minute in the place of a day's points, and drop its partition."""
        first, name = day * DAY_S, _name(day)
        with self._database.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            if not _is_there(connection, day):
                return
            connection.execute(f"LOCK TABLE leeway_point, {name} IN ACCESS EXCLUSIVE MODE".encode())
            add_to_minutes(connection, name, first)
            connection.execute(f"DROP TABLE {name}".encode())


def add_to_minutes(connection: "psycopg.Connection", points: str, first: int) -> None:
    """Add the points of the day from `first` on, which are those of the table or subquery `points`, to the sums by the
    minute."""
    query = _HISTOGRAMS.format(day=points).encode()
    rows = connection.execute(query, (first, first + DAY_S), binary=True).fetchall()
    connection.execute(_SUM_UP.format(day=points).encode())
    if rows:
        histograms = [msgspec.msgpack.encode(summed(each)) for _, _, each in rows]
        columns = [[line for line, _, _ in rows], [minute for _, minute, _ in rows], histograms]
        connection.execute(_ADD_HISTOGRAMS, columns)


def summed(histograms: list[bytes] | None) -> dict[int, int]:
    """Histograms as they are stored, added up."""
    merged: dict[int, int] = {}
    for histogram in histograms or ():
        for edge, number in _HISTOGRAM.decode(histogram).items():
            merged[edge] = merged.get(edge, 0) + number
    return dict(sorted(merged.items()))


def _name(day: int) -> str:
    return f"leeway_point_{day}"


def _is_there(connection: "psycopg.Connection", day: int) -> bool:
    return connection.execute("SELECT to_regclass(%s)", (_name(day),)).fetchone() != (None,)
