"""How far the consumers of a stream are behind it."""

from dataclasses import dataclass

from leeway.backends import connect
from leeway.settings import Settings

from .queries import Queries


@dataclass(frozen=True)
class Lag:
    """By shard: the offset that the next message will get, and the first one that is not committed; `lost`
    messages went before they were read, as a shard grew beyond its limit."""

    ends: tuple[int, ...]
    positions: tuple[int, ...]
    lost: int = 0

    @property
    def end(self) -> int:
        return sum(self.ends)

    @property
    def consumed(self) -> int:
        return sum(self.positions)

    @property
    def waiting(self) -> int:
        """Messages that no consumer has committed."""
        return self.end - self.consumed

    def waiting_in(self, shard: int) -> int:
        """The same of one shard, none where there is no such shard."""
        return self.ends[shard] - self.positions[shard] if shard < len(self.ends) else 0


def lag_of(stream: str, settings: Settings, queries: Queries) -> Lag:
    """The lag of a stream's consumer; a shard that nobody consumed stands at 0."""
    opened = connect.stream(stream, settings)
    try:
        ends = tuple(opened.bounds(shard)[1] for shard in range(opened.shards))
        lost = sum(map(opened.lost, range(opened.shards)))
    finally:
        opened.close()
    known = {shown.shard: shown.position for shown in queries.consumers() if shown.stream == stream}
    return Lag(ends, tuple(known.get(shard, 0) for shard in range(len(ends))), lost)
