"""What the PostgreSQL backends share: connections to one database, and its tables brought up to date."""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from leeway.errors import StoreError

from .postgres_layout import MIGRATIONS, migrations
from .redacted import redacted

_IDLE = 4
_LOCK = 0x1EE3A7
_OPTIONS = {"connect_timeout": 10, "keepalives_idle": 30, "application_name": "leeway", "client_encoding": "utf8"}

_EXTENSION = """SELECT nspname, nspname = ANY (current_schemas(false)) FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'timescaledb'"""


class PostgresDatabase:
    """The database of a postgresql:// URL (libpq's form). Its tables lie where its search_path says, public as a rule.

    Safe in every thread and after a fork: each use has a connection for itself, and some are kept for the next.
    Tables are made, and old ones brought up to date, at the first connection, by one process at a time. What
    PostgreSQL refuses becomes a StoreError that does not hold the password.
    """

    def __init__(self, url: str):
        self.name = redacted(url)
        try:
            self._parameters = psycopg.conninfo.conninfo_to_dict(url, **_OPTIONS)
        except psycopg.ProgrammingError:
            raise StoreError(f"{self.name} is no URL of PostgreSQL; use postgresql://user:password@host/db") from None
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection] = []
        self._inherited: list[psycopg.Connection] = []
        self._pid, self._is_migrated = os.getpid(), False

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection]:
        """A connection for single SELECTs, each a transaction of its own."""
        with self._translated():
            connection = self._take()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """A connection within a transaction: committed at the end, rolled back where anything is raised.

        Where the commit itself breaks off, its outcome is unknown: `UnknownOutcome`.
        """
        with self._translated():
            connection = self._take()
            try:
                connection.execute("BEGIN")
                yield connection
            except BaseException:
                self._rolled_back(connection)
                raise
            try:
                connection.commit()
            except psycopg.OperationalError as error:
                connection.close()
                raise UnknownOutcome(f"{self.name}: the connection broke off in a commit: {error}") from error
            self._give_back(connection)

    def close(self) -> None:
        """Close the connections that are not in use; the next use opens new ones."""
        self._leave_inherited()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> psycopg.Connection:
        self._leave_inherited()
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if _is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: psycopg.Connection) -> None:
        with self._lock:
            if len(self._idle) < _IDLE and self._pid == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def _rolled_back(self, connection: psycopg.Connection) -> None:
        with suppress(psycopg.Error):
            connection.rollback()
            self._give_back(connection)
            return
        connection.close()

    def _leave_inherited(self) -> None:
        """After a fork the connections are the parent's; closing them here would end them there."""
        if self._pid != os.getpid():
            self._lock = threading.Lock()
            self._inherited, self._idle, self._pid = [*self._inherited, *self._idle], [], os.getpid()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(**self._parameters, autocommit=True)
        try:
            if not self._is_migrated:
                self._migrate(connection)
                self._is_migrated = True
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: psycopg.Connection) -> None:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute("CREATE TABLE IF NOT EXISTS leeway_layout (version integer NOT NULL)")
            row = connection.execute("SELECT max(version) FROM leeway_layout").fetchone()
            found = (row and row[0]) or 0
            if found > len(MIGRATIONS):
                raise StoreError(
                    f"{self.name} has layout version {found}, newer than {len(MIGRATIONS)}, which this Leeway reads "
                    "and writes: use the Leeway that wrote it, or another database"
                )
            due = migrations(self._timescale(connection))[found:] if found < len(MIGRATIONS) else ()
            for number, script in enumerate(due, found + 1):
                connection.execute(script.encode())
                connection.execute("INSERT INTO leeway_layout VALUES (%s)", (number,))

    def _timescale(self, connection: psycopg.Connection) -> str:
        """The licence of TimescaleDB in this database, "" where it is not there."""
        row = connection.execute(_EXTENSION).fetchone()
        if row is None:
            return ""
        schema, is_visible = row
        if not is_visible:
            raise StoreError(
                f"{self.name}: TimescaleDB lies in the schema {schema}, which the search_path leaves out: "
                f"add it behind your own (?options=-csearch_path%3Dname,{schema})"
            )
        row = connection.execute("SHOW timescaledb.license").fetchone()
        return row[0] if row else ""

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, UnicodeEncodeError, OverflowError) as error:
            raise StoreError(f"{self.name}: {str(error).strip()}") from error


class UnknownOutcome(StoreError):
    """Whether a commit took place is not known."""


def _is_alive(connection: psycopg.Connection) -> bool:
    """Nothing comes from a server unasked but its farewell."""
    if connection.closed:
        return False
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return not poller.poll(0)
