"""The four kinds of store, as small as their users need them. Backends live in leeway/backends, one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa


class Message(NamedTuple):
    """One entry of a stream: where it lies, when it was appended (whole epoch seconds), its key and bytes."""

    shard: int
    offset: int
    appended: int
    key: str
    value: bytes


class Stream(ABC):
    """An append-only log in shards. A key always goes to the same shard; the shard count is fixed at creation.

    Delivery: `append` is at least once (a caller that did not hear back appends again). Resume: a group goes on at
    the offset it committed; 0 for a group that never did.
    """

    shards: int

    @abstractmethod
    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        """Append (key, value) pairs in order; return how many of them, from the first, were taken."""

    @abstractmethod
    def read(self, shard: int, offset: int, limit: int) -> list[Message]:
        """At most `limit` messages of a shard, from `offset` on, in order; [] at its end."""

    @abstractmethod
    def bounds(self, shard: int) -> tuple[int, int]:
        """(the oldest offset still there, the offset that the next message will get)."""

    @abstractmethod
    def commit(self, group: str, shard: int, offset: int) -> None:
        """Remember that `group` wants nothing below `offset` any more; never moves back."""

    @abstractmethod
    def committed(self, group: str, shard: int) -> int:
        """The offset that `group` committed, 0 for none."""

    def lost(self, shard: int) -> int:
        """How many messages went before every group had committed them, as the shard grew beyond its limit; 0 for a
        stream whose limits are not ours."""
        return 0

    def close(self) -> None:  # noqa: B027  nothing to release is a right answer
        """Release what is held open."""


class Point(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A partial sum of one series over one bucket of time, as one range of the stream saw it.

    Named by (series, endpoint, feature, bucket, range); readers merge the ranges. `bucket` is its start in epoch
    seconds. `histogram` holds counts by bin (latencies: see monitoring/latency.py for the edges), so that
    sums over time still give quantiles.
    """

    series: str
    endpoint: str
    bucket: int
    range: str
    feature: str = ""
    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    histogram: dict[int, int] = {}


class SeriesStore(ABC):
    """Time series of partial sums. Writing the same point again changes nothing."""

    @abstractmethod
    def write(self, points: Iterable[Point]) -> None:
        """Insert or replace, all or nothing."""

    @abstractmethod
    def read(
        self, series: str, endpoint: str, start: int = 0, end: int = 2**62, step: int = 1, feature: str = ""
    ) -> list[Point]:
        """The buckets from `start` up to, but not with, `end`, merged over ranges, and over `step` seconds; ordered
        by bucket; `range` is empty in what comes back."""

    @abstractmethod
    def names(self) -> list[tuple[str, str, str]]:
        """Every (series, endpoint, feature) that has points, in order."""

    @abstractmethod
    def retain(self, points_s: int, sums_s: int) -> None:
        """Of points older than `points_s` seconds keep sums by the minute, and those no longer than `sums_s`; the
        newest bucket tells the time."""

    def close(self) -> None:  # noqa: B027
        """Release what is held open."""


class ArchiveFile(NamedTuple):
    """One file of the archive, and how many bytes it has."""

    kind: str
    deployment: str
    day: str
    name: str
    size: int


class Within(NamedTuple):
    """Rows whose value in a column lies between two others, both included; None: no bound. A missing value lies
    nowhere, so one without bounds asks for rows that have a value. Of columns that are of one type in every file."""

    column: str
    low: Any = None
    high: Any = None


class Archive(ABC):
    """Columnar history, partitioned by kind, deployment and day of append. Files are written whole or not at all."""

    @abstractmethod
    def write(self, kind: str, deployment: str, day: str, name: str, table: pa.Table) -> None:
        """Write one file (an equal name replaces it). `day` is YYYY-MM-DD, `deployment` may hold slashes."""

    @abstractmethod
    def read(
        self,
        kind: str,
        deployment: str | None = None,
        columns: Sequence[str] | None = None,
        days: Sequence[str] = (),
        where: Sequence[Within] = (),
    ) -> pa.Table:
        """Everything of a kind (and deployment, and days) in the order of shard, offset, index, row; doubles by
        position dropped; files whose column types differ are unified. `where`: only the rows that meet all of it,
        and what cannot hold one is not read."""

    @abstractmethod
    def deployments(self, kind: str) -> list[str]:
        """The deployments that have files of that kind."""

    @abstractmethod
    def files(self) -> list[ArchiveFile]:
        """Every file, in order."""

    @abstractmethod
    def replace(
        self, sources: Sequence[ArchiveFile], name: str, change: Callable[[pa.Table], pa.Table] = lambda table: table
    ) -> None:
        """Put `change` of what the files hold together in their place, as one file; no file where no row is left. They
        are of one kind, deployment and day. No two replacements there at a time; a writer that writes a file anew
        which was replaced does no harm, as readers drop doubles."""


class State(ABC):
    """Small values that must change together. Keys are text, values bytes."""

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """One value, or None."""

    @abstractmethod
    def scan(self, prefix: str, after: str = "", limit: int | None = None) -> dict[str, bytes]:
        """The keys that start with `prefix`, in key order: those behind `after`, and no more than `limit` of them."""

    @abstractmethod
    def commit(
        self,
        puts: Mapping[str, bytes] | None = None,
        deletes: Iterable[str] = (),
        expect: Mapping[str, bytes | None] | None = None,
    ) -> None:
        """All of it or nothing. Where a key of `expect` has another value (None: is there at all): Conflict."""

    def close(self) -> None:  # noqa: B027
        """Release what is held open."""
