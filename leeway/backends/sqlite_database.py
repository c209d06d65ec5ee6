"""What the SQLite backends share: one file, opened in WAL mode, safe to use from every thread and after a fork."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from uuid import uuid4

from leeway.errors import StoreError
from leeway.exclusive import exclusive
from leeway.private_folder import private_folder

_BUSY_S = 10.0


class SqliteDatabase:
    """One file of a known layout; local disks only. Commits survive the death of the process (synchronous=NORMAL).

    Each thread of each process has its own connection. `migrations` are the statements that made each version of the
    layout of the one before it: the first of them makes version 1. A file's version lies in its user_version: an older
    one is migrated when it is opened, in one transaction; a newer one is refused with a StoreError. Whatever SQLite
    refuses becomes a StoreError. After `close` the next use opens the file again, and so does one after the file was
    deleted or replaced. `page` is the page size in bytes of a file that is created. A process may fork while no other
    thread is at work here, and not within a transaction.
    """

    def __init__(self, path: Path, *migrations: str, page: int = 4_096):
        self.path, self._migrations, self._page = path.absolute(), migrations, page
        self._pid = os.getpid()
        self._open: dict[int, sqlite3.Connection] = {}
        self._file_of: dict[int, tuple[int, int]] = {}
        self._inherited: dict[int, sqlite3.Connection] = {}

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for single SELECTs; each is a read transaction of its own, to be fetched at once."""
        with self._translated():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection within BEGIN IMMEDIATE: committed at the end, rolled back where anything is raised."""
        with self._translated():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections of every thread of this process. None of them may be at work."""
        self._leave_inherited()
        connections, self._open = self._open, {}
        for connection in connections.values():
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        self._leave_inherited()
        connection = self._open.get(get_ident())
        if connection is not None and self._file_of.get(get_ident()) != self._file():
            connection.close()  # the file was deleted, or another one lies in its place
            connection = None
        if connection is None:
            connection = self._open[get_ident()] = self._connect()
            self._file_of[get_ident()] = self._file()
        return connection

    def _file(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_dev, found.st_ino

    def _leave_inherited(self) -> None:
        """After a fork. Locks do not come along, so SQLite must not go on with a connection, but believes that its
        locks are held as long as one is open. Those of other threads may be amid something and are never touched.
        """
        if self._pid == os.getpid():
            return
        self._inherited, self._open, self._pid = self._open, {}, os.getpid()
        mine = self._inherited.get(get_ident())
        if mine is not None and not mine.in_transaction:
            mine.close()

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            self._create()
        connection = _open(self.path)
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == len(self._migrations):
            return connection
        try:
            if 0 < found < len(self._migrations):
                self._migrate(connection)
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        raise StoreError(
            f"{self.path} has layout version {found}, this Leeway knows 1 to {len(self._migrations)}: use the Leeway "
            "that wrote it, or another LEEWAY_HOME"
        )

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """One version after the other, all or nothing; of several processes the first does it."""
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        try:
            for statements in self._migrations[found:]:
                for statement in filter(str.strip, statements.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(self._migrations)}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _create(self) -> None:
        """Make the file under another name first, so that nobody ever opens a half-made one."""
        with exclusive(private_folder(self.path.parent)):
            if self.path.exists():
                return
            fresh = self.path.with_name(f".{self.path.name}.{uuid4().hex}")
            connection = _open(fresh)
            connection.execute(f"PRAGMA page_size={self._page}")
            connection.execute("PRAGMA journal_mode=WAL")
            made = ";".join(self._migrations)
            connection.executescript(f"BEGIN; {made}; PRAGMA user_version={len(self._migrations)}; COMMIT")
            connection.close()
            for left in ("-wal", "-shm"):  # of a file that was deleted: they would be taken for this one's
                self.path.with_name(self.path.name + left).unlink(missing_ok=True)
            fresh.rename(self.path)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, OverflowError, UnicodeEncodeError) as error:
            raise StoreError(f"{self.path}: {error}; is its disk local, writable and not full?") from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection
