"""How far the record path is behind, and what it could not use."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from leeway.outbox_waiting import outboxes_below

from ..counts import Counts, add
from ..lag import Lag, lag_of
from .source import Source


@dataclass(frozen=True)
class RecordPath:
    """Of one deployment: messages that no consumer has committed in the shards that hold its records (with those of
    others in them), bytes that wait in the outboxes of its function, and what did not arrive."""

    waiting: int = 0
    outbox_bytes: int = 0
    dead_letters: int = 0
    missed: int = 0


@dataclass(frozen=True)
class Plumbing:
    """`lags` by stream; `outboxes` on this disk, and the bytes in them that were not forwarded; `counts` are those of
    monitoring/counts.py over every deployment; `paths` by stream key."""

    lags: dict[str, Lag]
    outboxes: int
    outbox_bytes: int
    counts: dict
    paths: Mapping[str, RecordPath] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Messages that no consumer has committed."""
        return sum(lag.waiting for lag in self.lags.values())

    @property
    def dropped(self) -> int:
        return sum(self.counts["dropped"].values())

    def path(self, key: str) -> RecordPath:
        """Of the deployment with that stream key."""
        return self.paths.get(key, RecordPath())


def plumbing(source: Source) -> Plumbing:
    """As it is now."""
    streams = sorted({shown.stream for shown in source.queries.consumers()})
    lags = {stream: lag_of(stream, source.settings, source.queries) for stream in streams}
    found = {each["function"]: each for each in outboxes_below(source.settings.home / "outbox")}
    outboxes, waiting = (sum(each[name] for each in found.values()) for name in ("outboxes", "waiting_bytes"))
    placed = source.queries.counts_by_place()
    paths = {}
    for key in {key for _, _, key in placed}:
        mine = {(stream, shard): counts for (stream, shard, other), counts in placed.items() if other == key}
        outbox = found.get(key.rpartition("/")[0], {"waiting_bytes": 0})
        paths[key] = _path(mine, lags, outbox["waiting_bytes"])
    return Plumbing(lags, outboxes, waiting, msgspec.to_builtins(add(placed.values())), paths)


def _path(mine: Mapping[tuple[str, int], Counts], lags: Mapping[str, Lag], outbox_bytes: int) -> RecordPath:
    total = add(mine.values())
    return RecordPath(
        waiting=sum(lags[stream].waiting_in(shard) for stream, shard in mine if stream in lags),
        outbox_bytes=outbox_bytes,
        dead_letters=total.dead_lettered,
        missed=total.lost + sum(total.dropped.values()),
    )
