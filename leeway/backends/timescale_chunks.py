"""The points of TimescaleDB by day: the chunks of a hypertable, until they are summed up by the minute."""

from .postgres_database import PostgresDatabase
from .postgres_partitions import DAY_S, LOCK, add_to_minutes

_IS_THERE = """SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb')
    AND NOT EXISTS (SELECT 1 FROM pg_partitioned_table WHERE partrelid = 'leeway_point'::regclass)"""
_CHUNKS = """SELECT range_start_integer FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name = 'leeway_point' ORDER BY 1"""


class TimescaleChunks:
    """As PostgresPartitions; the database makes chunks itself, and writers go on while one is dropped."""

    def __init__(self, database: PostgresDatabase):
        self._database = database

    @staticmethod
    def are_there(database: PostgresDatabase) -> bool:
        """Whether points lie in a hypertable: the extension was there when the tables were made."""
        with database.reading() as connection:
            return connection.execute(_IS_THERE).fetchone() == (True,)

    def days(self) -> list[int]:
        """The days that have a chunk, in order."""
        with self._database.reading() as connection:
            return [start // DAY_S for (start,) in connection.execute(_CHUNKS).fetchall()]

    def newest(self) -> int:
        """The newest bucket, 0 where there is none."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT max(bucket) FROM leeway_point").fetchone()
        return (row and row[0]) or 0

    def add(self, day: int) -> None:
        """The first point of a day makes its chunk."""

    def sum_up(self, day: int) -> None:
        """Put sums by the minute in the place of a day's points, and drop its chunk."""
        first = day * DAY_S
        points = f"(SELECT * FROM leeway_point WHERE bucket >= {first} AND bucket < {first + DAY_S}) AS day"
        with self._database.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            connection.execute("LOCK TABLE leeway_point IN EXCLUSIVE MODE")
            add_to_minutes(connection, points, first)
            dropped = "SELECT drop_chunks('leeway_point', older_than => %s::bigint, newer_than => %s::bigint)"
            connection.execute(dropped, (first + DAY_S, first))
