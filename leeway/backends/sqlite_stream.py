"""The embedded stream: a folder with one SQLite file per shard."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from pathlib import Path
from zlib import crc32

from leeway.clock import Clock
from leeway.errors import StoreError
from leeway.exclusive import exclusive
from leeway.interfaces import Message, Stream
from leeway.private_folder import private_folder

from .sqlite_database import SqliteDatabase

_VERSION = 1  # of stream.json
_LAYOUT = """
    CREATE TABLE message (
        offset INTEGER PRIMARY KEY, appended INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL);
    CREATE TABLE committed (consumer TEXT PRIMARY KEY, offset INTEGER NOT NULL)
"""
_LOST = "CREATE TABLE lost (offset INTEGER PRIMARY KEY, messages INTEGER NOT NULL)"
_PAGE = 16_384  # a page holds two dozen records; at SQLite's 4,096 each of them costs twice the CPU
_TRIM_S = 10.0
_TRIM_AT_ONCE = 2_000
_PAGES = ("page_count", "freelist_count", "page_size")
# Python lets go of the interpreter around each call of SQLite's, and a busy server gives it back only with its next
# request: messages go in by one statement. Of few sizes, so that it stays prepared.
_MOST, _STEP = 1_024, 16
_NEXT = "SELECT coalesce(max(offset) + 1, 0) FROM message"


class SqliteStream(Stream):
    """Offsets start at 0 and have no gaps; none is used twice: the newest message is never deleted, and the next offset
    counts from it. Where the file of a shard was deleted, the next one begins far above it, at the microseconds of the
    clock, so that consumers go on. `kept_mb` of messages stay for a replay when every group has committed them; beyond
    `limit_mb` the oldest go whoever waits for them, and are counted as lost. Whoever appends sees to that, every ten
    seconds. The append time is the clock's, cut to whole seconds. A key's shard is crc32(key) modulo the number of
    shards, which is that of the stream's creation, whatever `shards` says later. `append` is atomic per shard.
    """

    def __init__(self, folder: Path, shards: int, clock: Clock, kept_mb: int = 256, limit_mb: int = 2_048):
        self.folder = folder.absolute()
        self._clock = clock
        self.shards = _shards(self.folder, shards)
        self._files = [
            SqliteDatabase(self.folder / f"shard-{i}.db", _LAYOUT, _LOST, page=_PAGE) for i in range(self.shards)
        ]
        self._kept, self._limit = kept_mb << 20, max(kept_mb, limit_mb) << 20
        self._trim_at = clock.monotonic()

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        if self._clock.monotonic() >= self._trim_at:
            self._trim_at = self._clock.monotonic() + _TRIM_S
            for file in self._files:
                with suppress(StoreError):  # a shard that refuses this must not keep others from taking what is theirs
                    self._trim(file)
        if self.shards == 1:
            self._append(0, entries)
            return len(entries)
        left = self._by_shard(entries)
        try:
            while left:
                shard = next(iter(left))
                self._append(shard, [entries[i] for i in left[shard]])
                del left[shard]
        except StoreError:
            taken = min(indices[0] for indices in left.values())
            if taken == 0:
                raise
            return taken
        return len(entries)

    def read(self, shard: int, offset: int, limit: int) -> list[Message]:
        query = "SELECT ?, offset, appended, key, value FROM message WHERE offset >= ? ORDER BY offset LIMIT ?"
        with self._file(shard).reading() as connection:
            return list(map(Message._make, connection.execute(query, (shard, offset, limit)).fetchall()))

    def bounds(self, shard: int) -> tuple[int, int]:
        query = f"SELECT coalesce((SELECT min(offset) FROM message), 0), ({_NEXT})"
        with self._file(shard).reading() as connection:
            return connection.execute(query).fetchone()

    def commit(self, group: str, shard: int, offset: int) -> None:
        query = """INSERT INTO committed VALUES (?, ?)
            ON CONFLICT (consumer) DO UPDATE SET offset = max(offset, excluded.offset)"""
        with self._file(shard).writing() as connection:
            connection.execute(query, (group, offset))

    def committed(self, group: str, shard: int) -> int:
        with self._file(shard).reading() as connection:
            row = connection.execute("SELECT offset FROM committed WHERE consumer = ?", (group,)).fetchone()
        return row[0] if row else 0

    def lost(self, shard: int) -> int:
        with self._file(shard).reading() as connection:
            return connection.execute("SELECT coalesce(sum(messages), 0) FROM lost").fetchone()[0]

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _append(self, shard: int, entries: Sequence[tuple[str, bytes]]) -> None:
        with self._files[shard].writing() as connection:
            first = connection.execute(_NEXT).fetchone()[0] or self._first(shard)
            appended = int(self._clock.now())
            for start in range(0, len(entries), _MOST):
                some = entries[start : start + _MOST]
                size = len(some) + -len(some) % _STEP
                values = [*chain.from_iterable(some), *[None] * (2 * (size - len(some)))]
                connection.execute(_insertion(size), [first + start, appended, *values])

    def _first(self, shard: int) -> int:
        """The first offset of an empty shard. What says that it had others before is a file beside it."""
        began = self.folder / f"shard-{shard}.began"
        if began.exists():
            return int(self._clock.now() * 1e6)
        began.touch(mode=0o600)
        return 0

    def _trim(self, file: SqliteDatabase) -> None:
        """Delete the oldest messages, as many as it takes and is allowed."""
        while True:
            with file.writing() as connection:
                used = _used(connection)
                wanted = connection.execute("SELECT min(offset) FROM committed").fetchone()[0] or 0
                end = connection.execute(_NEXT).fetchone()[0] - 1
                first = connection.execute("SELECT coalesce(min(offset), 0) FROM message").fetchone()[0]
                end = min(end, first + _TRIM_AT_ONCE)
                if used <= self._limit:
                    end = min(end, wanted)
                if used <= self._kept or end <= first:
                    return
                connection.execute("DELETE FROM message WHERE offset < ?", (end,))
                if end > wanted:
                    connection.execute("INSERT INTO lost VALUES (?, ?)", (end, end - max(first, wanted)))

    def _by_shard(self, entries: Sequence[tuple[str, bytes]]) -> dict[int, list[int]]:
        """The indices of the entries of each shard, in order."""
        found: dict[int, list[int]] = defaultdict(list)
        for i, (key, _) in enumerate(entries):
            found[crc32(key.encode()) % self.shards].append(i)
        return found

    def _file(self, shard: int) -> SqliteDatabase:
        if not 0 <= shard < self.shards:
            raise StoreError(f"stream {self.folder} has shards 0 to {self.shards - 1}, not {shard}")
        return self._files[shard]


@cache
def _insertion(size: int) -> str:
    """Of `size` messages, those without a key left out. Its parameters: the first offset, the append time, then keys
    and values."""
    given = ", ".join(f"({i}, ?, ?)" for i in range(size))
    return f"""INSERT INTO message SELECT column1 + ?1, ?2, column2, column3
        FROM (VALUES {given}) WHERE column2 IS NOT NULL"""


def _used(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PAGES)
    return (pages - free) * size


def _shards(folder: Path, wanted: int) -> int:
    """How many shards the stream in `folder` has; it gets `wanted` where there is none."""
    path = folder / "stream.json"
    try:
        if not path.exists():
            _create(path, wanted)
        text = path.read_text()
    except OSError as error:
        raise StoreError(f"stream {folder} cannot be opened: {error}; set LEEWAY_HOME to a local folder") from error
    try:
        meta = json.loads(text)
        version, shards = meta["version"], int(meta["shards"])
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{path} does not describe a stream: {text[:100]!r}; move the folder away") from None
    if version != _VERSION:
        raise StoreError(f"{path} has version {version}, this Leeway knows {_VERSION}: use the Leeway that wrote it")
    return shards


def _create(path: Path, shards: int) -> None:
    """Of two processes that create it at once, the first says how many shards there are."""
    with exclusive(private_folder(path.parent)):
        if not path.exists():
            fresh = path.with_name(f".{path.name}")
            fresh.write_text(json.dumps({"version": _VERSION, "shards": shards}))
            fresh.rename(path)
