"""Where the run DB keeps everything: JSON documents in one SQLite file."""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from sqlite3 import Connection
from typing import Any, NamedTuple

from mlrun.utils import dict_to_json

from leeway.backends.sqlite_database import SqliteDatabase

_LAYOUT = """
CREATE TABLE documents (
    kind TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
    stored INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, project, name, version)
)
"""
_PUT = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)"


class Key(NamedTuple):
    """What a document is found by. `project` is empty for what belongs to none."""

    kind: str
    project: str
    name: str
    version: str = ""


class Documents:
    """Each call is one short transaction. StoreError where the file cannot be read or written."""

    def __init__(self, home: Path):
        self._database = SqliteDatabase(home / "mlrun.db", _LAYOUT)

    def put(self, key: Key, body: Any) -> None:
        self.put_all([(key, body)])

    def put_all(self, documents: Iterable[tuple[Key, Any]]) -> None:
        """All of them or none."""
        rows = [_row(key, body) for key, body in documents]
        with self._database.writing() as connection:
            connection.executemany(_PUT, rows)

    def get(self, key: Key) -> Any:
        """None where there is none."""
        with self._database.reading() as connection:
            return _get(connection, key)

    def change(self, key: Key, change: Callable[[Any], Any]) -> Any:
        """Put what `change` makes of the document (None where there is none); nobody else writes meanwhile."""
        with self._database.writing() as connection:
            body = change(_get(connection, key))
            connection.execute(_PUT, _row(key, body))
        return body

    def find(self, kind: str, project: str | None = None, name: str | None = None) -> list[tuple[Key, Any]]:
        """What was stored last comes first."""
        where, values = _where(kind=kind, project=project, name=name)
        select = f"SELECT kind, project, name, version, body FROM documents {where} ORDER BY stored DESC, rowid DESC"
        with self._database.reading() as connection:
            rows = connection.execute(select, values).fetchall()
        return [(Key(*row[:4]), json.loads(row[4])) for row in rows]

    def delete(
        self, kind: str | None, project: str | None, name: str | None = None, version: str | None = None
    ) -> None:
        """None stands for every one."""
        where, values = _where(kind=kind, project=project, name=name, version=version)
        with self._database.writing() as connection:
            connection.execute(f"DELETE FROM documents {where}", values)


def _row(key: Key, body: Any) -> tuple:
    # Whatever MLRun puts into a run, NumPy's numbers among it, goes through its own encoder first.
    return (*key, time.time_ns(), dict_to_json(body))


def _get(connection: Connection, key: Key) -> Any:
    select = "SELECT body FROM documents WHERE kind = ? AND project = ? AND name = ? AND version = ?"
    row = connection.execute(select, key).fetchone()
    return None if row is None else json.loads(row[0])


def _where(**wanted: str | None) -> tuple[str, list[str]]:
    given = {column: value for column, value in wanted.items() if value is not None}
    return ("WHERE " if given else "") + " AND ".join(f"{column} = ?" for column in given), list(given.values())
