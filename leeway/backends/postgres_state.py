"""The state store in PostgreSQL: every name in one table."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from leeway.errors import Conflict
from leeway.interfaces import State

from .postgres_database import PostgresDatabase, UnknownOutcome

_LOCK = """INSERT INTO leeway_commit VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET token = excluded.token"""
_GET = "SELECT value FROM leeway_item WHERE name = %s AND key = %s"
_SCAN = """SELECT key, value FROM leeway_item WHERE name = %s AND key ^@ %s AND (key > %s OR %s = '')
    ORDER BY key LIMIT %s"""
_FIND = "SELECT key, value FROM leeway_item WHERE name = %s AND key = ANY(%s)"
_PUT = """INSERT INTO leeway_item SELECT %b, unnest(%b::text[]), unnest(%b::bytea[])
    ON CONFLICT (name, key) DO UPDATE SET value = excluded.value"""
_DELETE = "DELETE FROM leeway_item WHERE name = %s AND key = ANY(%s)"
_TOKEN = "SELECT token FROM leeway_commit WHERE name = %s FOR UPDATE"


class PostgresState(State):
    """The commits of one name follow each other: each leaves a token in a row of its own, which it locks first.

    So a commit whose answer never came, as the server went away, is known by its token: the same commit, tried again,
    finds that it has taken place. A key that is put and deleted in one commit is gone after it.
    """

    def __init__(self, database: PostgresDatabase, name: str):
        self._database, self._name = database, name.strip("/")
        self._doubtful: tuple[UUID, Any] | None = None

    def get(self, key: str) -> bytes | None:
        with self._database.reading() as connection:
            row = connection.execute(_GET, (self._name, key), binary=True).fetchone()
        return row[0] if row else None

    def scan(self, prefix: str, after: str = "", limit: int | None = None) -> dict[str, bytes]:
        with self._database.reading() as connection:
            return dict(connection.execute(_SCAN, (self._name, prefix, after, after, limit), binary=True).fetchall())

    def commit(
        self,
        puts: Mapping[str, bytes] | None = None,
        deletes: Iterable[str] = (),
        expect: Mapping[str, bytes | None] | None = None,
    ) -> None:
        request = dict(puts or {}), list(deletes), dict(expect or {})
        if self._has_taken_place(request):
            return
        token = uuid4()
        try:
            self._commit(token, *request)
        except UnknownOutcome:
            self._doubtful = token, request
            if not self._has_taken_place(request):
                raise

    def close(self) -> None:
        self._database.close()

    def _commit(self, token: UUID, puts: dict[str, bytes], deletes: list[str], expect: dict[str, bytes | None]) -> None:
        with self._database.transaction() as connection:
            connection.execute(_LOCK, (self._name, token))
            if expect:
                found = dict(connection.execute(_FIND, (self._name, list(expect)), binary=True).fetchall())
                self._compare(found, expect)
            if puts:
                connection.execute(_PUT, (self._name, list(puts), list(puts.values())))
            if deletes:
                connection.execute(_DELETE, (self._name, deletes))

    def _compare(self, found: Mapping[str, bytes], expect: Mapping[str, bytes | None]) -> None:
        for key, expected in expect.items():
            if found.get(key) != expected:
                raise Conflict(
                    f"{self._database.name}, state {self._name!r}: {key!r} was changed by somebody else; read it again"
                )

    def _has_taken_place(self, request: Any) -> bool:
        """Whether the commit whose outcome is in doubt was this one, and went through."""
        if self._doubtful is None:
            return False
        token, doubtful = self._doubtful
        with self._database.reading() as connection:
            row = connection.execute(_TOKEN, (self._name,)).fetchone()
        self._doubtful = None
        return doubtful == request and row is not None and row[0] == token
