"""The embedded state store: one SQLite file per name."""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path

from leeway.errors import Conflict
from leeway.interfaces import State

from .sqlite_database import SqliteDatabase

_LAYOUT = "CREATE TABLE item (key TEXT PRIMARY KEY, value BLOB NOT NULL)"


class SqliteState(State):
    """A commit compares and sets within one BEGIN IMMEDIATE, so of two that expect the same value one wins. A key
    that is put and deleted in one commit is gone after it.
    """

    def __init__(self, path: Path):
        self._file = SqliteDatabase(path, _LAYOUT)

    def get(self, key: str) -> bytes | None:
        with self._file.reading() as connection:
            row = connection.execute("SELECT value FROM item WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def scan(self, prefix: str, after: str = "", limit: int | None = None) -> dict[str, bytes]:
        query = "SELECT key, value FROM item WHERE key >= ? AND (key > ? OR ? = '') ORDER BY key LIMIT ?"
        with self._file.reading() as connection:
            rows = connection.execute(query, (prefix, after, after, -1 if limit is None else limit))
            try:
                return dict(takewhile(lambda row: row[0].startswith(prefix), rows))
            finally:
                rows.close()

    def commit(
        self,
        puts: Mapping[str, bytes] | None = None,
        deletes: Iterable[str] = (),
        expect: Mapping[str, bytes | None] | None = None,
    ) -> None:
        with self._file.writing() as connection:
            for key, expected in (expect or {}).items():
                row = connection.execute("SELECT value FROM item WHERE key = ?", (key,)).fetchone()
                if (row[0] if row else None) != expected:
                    raise Conflict(f"{self._file.path}: {key!r} was changed by somebody else; read it again")
            connection.executemany("INSERT OR REPLACE INTO item VALUES (?, ?)", (puts or {}).items())
            connection.executemany("DELETE FROM item WHERE key = ?", ((key,) for key in deletes))

    def close(self) -> None:
        self._file.close()
