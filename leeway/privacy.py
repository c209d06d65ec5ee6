"""Columns of which nothing, or only a hash, leaves the answer: applied before a record reaches the outbox."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from .settings import Settings

_HASH_BYTES = 8
_NO_WORDS = "not recorded: what went wrong may name values that are kept back (privacy.left_out, privacy.hashed)"


class Privacy:
    """What the settings `privacy.left_out` and `privacy.hashed` ask for; a column in both is left out.

    A value that is left out becomes null, so rows keep their width and names; a hashed one becomes 16 hex digits of
    keyed BLAKE2b over its JSON, alike for equal values, and null stays null. A record with rows and without column
    names loses all of its rows where any column is named: nobody can tell which it is. `is_on`: a column is named.
    """

    def __init__(self, left_out: Sequence[str] = (), hashed: Sequence[str] = (), key: bytes = b""):
        self._left_out = frozenset(left_out)
        self._hashed = frozenset(hashed) - self._left_out
        self.is_on = bool(self._left_out or self._hashed)
        self._key = hashlib.blake2b(key, digest_size=32).digest() if key else b""

    @classmethod
    def of(cls, settings: Settings) -> "Privacy":
        return cls(_names(settings.privacy_left_out), _names(settings.privacy_hashed), settings.privacy_key.encode())

    def rows(self, rows: list[Any], names: Sequence[str] | None) -> list[Any]:
        """Rows as they may be kept."""
        if not self.is_on or not rows:
            return rows
        return [] if names is None else [self._row(row, names) for row in rows]

    def words(self, error: Exception | None) -> str | None:
        """What went wrong, as it may be kept: such words may name a value."""
        if error is None:
            return None
        return _NO_WORDS if self.is_on else str(error)

    def _row(self, row: Any, names: Sequence[str]) -> list[Any]:
        if not isinstance(row, list) or len(row) != len(names):
            return [None] * len(names)
        return [
            None if name in self._left_out else self._hash(value) if name in self._hashed else value
            for name, value in zip(names, row)
        ]

    def _hash(self, value: Any) -> str | None:
        if value is None:
            return None
        return hashlib.blake2b(msgspec.json.encode(value), digest_size=_HASH_BYTES, key=self._key).hexdigest()


def _names(text: str) -> list[str]:
    return [name for each in text.split(",") if (name := each.strip())]
