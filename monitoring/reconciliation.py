"""Counts what became of the records of one deployment since some moment, from sources that do not know each other:
the stream itself, the Parquet archive, and the consumer's counters.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from leeway.backends import connect
from leeway.html_table import html_table
from leeway.interfaces import Archive, Stream
from leeway.record import EXPLAIN, FEEDBACK, INFER, Position, Record
from leeway.settings import Settings

from .decode import decode
from .queries import Queries

_CHUNK = 5_000
_POSITION = ("shard", "offset", "index")


class Baseline(msgspec.Struct, frozen=True):
    """A moment: the next offset of each shard, and the counts of the deployment so far. `key` is the stream key,
    project/function/deployment."""

    stream: str
    key: str
    offsets: list[int]
    counts: dict[str, Any]

    @classmethod
    def now(cls, settings: Settings, queries: Queries, stream: str, key: str) -> "Baseline":
        with _opened(stream, settings) as opened:
            ends = [opened.bounds(shard)[1] for shard in range(opened.shards)]
        return cls(stream, key, ends, queries.counts(key))

    @property
    def end(self) -> int:
        """How many messages the stream ever held."""
        return sum(self.offsets)

    def is_before(self, at: Position) -> bool:
        """Whether a record came later."""
        return at.offset >= self.offsets[at.shard]

    def later(self, table: pa.Table) -> pa.Table:
        """Those rows of a table of the archive whose records came later."""
        starts = pa.array(self.offsets, pa.int64()).take(table["shard"].combine_chunks())
        return table.filter(pc.greater_equal(table["offset"].combine_chunks(), starts))

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Baseline":
        return msgspec.json.decode(text, type=cls)


class Reconciliation(msgspec.Struct, frozen=True):
    """Records since a baseline. `recorded` and `archived` are by kind (prediction, feedback) and count each record
    once; `counts` has the form of monitoring/counts.py; `foreign` are records of other deployments in the stream."""

    recorded: dict[str, int]
    archived: dict[str, int]
    counts: dict[str, Any]
    foreign: int

    @classmethod
    def since(cls, baseline: Baseline, settings: Settings, queries: Queries) -> "Reconciliation":
        """Count what came since."""
        with _opened(baseline.stream, settings) as opened:
            recorded, foreign = _recorded(opened, baseline)
        archived = {kind: _archived(queries.archive, kind, baseline) for kind in ("prediction", "feedback")}
        return cls(recorded, archived, _minus(queries.counts(baseline.key), baseline.counts), foreign)

    def _repr_html_(self) -> str:
        rows = [(kind, f"{count:,}", f"{self.archived.get(kind, 0):,}") for kind, count in self.recorded.items()]
        return html_table("records since the baseline", rows, ("kind", "in the stream", "in the archive"))


def _opened(stream: str, settings: Settings) -> AbstractContextManager[Stream]:
    return closing(connect.stream(stream, settings))


_KINDS = {INFER: "prediction", EXPLAIN: "prediction", FEEDBACK: "feedback"}


def _recorded(stream: Stream, since: Baseline) -> tuple[dict[str, int], int]:
    recorded, foreign, seen = {"prediction": 0, "feedback": 0}, 0, set()
    for record in _records(stream, since.offsets):
        kind, name = _KINDS.get(record.op), (record.stream_key, record.origin.outbox, record.origin.seq)
        if kind is None or name in seen:
            continue
        seen.add(name)
        if record.stream_key == since.key:
            recorded[kind] += 1
        else:
            foreign += 1
    return recorded, foreign


def _records(stream: Stream, offsets: list[int]) -> Iterator[Record]:
    for shard, offset in enumerate(offsets):
        while messages := stream.read(shard, offset, _CHUNK):
            for message in messages:
                yield from (record for record in decode(message.value) if isinstance(record, Record))
            offset = messages[-1].offset + 1


def _archived(archive: Archive, kind: str, since: Baseline) -> int:
    table = archive.read(kind, since.key, columns=_POSITION)
    if table.num_rows == 0:
        return 0
    return since.later(table).group_by(list(_POSITION)).aggregate([]).num_rows


def _minus(counts: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What was counted meanwhile; a group that was not there before began at 0."""
    return {
        name: _minus(value, before.get(name, {})) if isinstance(value, Mapping) else value - before.get(name, 0)
        for name, value in counts.items()
    }
