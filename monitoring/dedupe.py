"""Which records were seen before: per outbox and stream key a contiguous mark, and a bounded set above it.

A stream may take four records of ten and the forwarder sends all ten again, so numbers arrive with gaps that close
later. At `outbox_end` a mark shrinks to a tombstone, kept a year: whatever comes after it was seen before. A gap that
is still open then is lost.
"""

from collections.abc import Mapping

import msgspec

from leeway.record import Origin

_PREFIX = "outbox/"
_ABOVE = 100_000
_YEAR_S = 366 * 86_400


class _Mark(msgspec.Struct):
    """Everything up to `last` was seen, and what `above` holds; `ended` is the clock at outbox_end."""

    outbox: str
    key: str
    last: int = 0
    above: set[int] = set()
    dropped: dict[str, int] = {}
    ended: int | None = None


class Marks:
    """The outboxes of one stream key."""

    def __init__(self, key: str):
        self.lost = 0  # numbers given up because too many came above them
        self._key = key
        self._marks: dict[str, _Mark] = {}
        self._changed: dict[str, _Mark] = {}

    def is_new(self, origin: Origin) -> bool:
        """Whether this record comes for the first time; from then on it does not. No outbox: always new."""
        outbox, seq = origin.outbox, origin.seq
        if not outbox:
            return True
        mark = self._changed.get(outbox)
        if mark is None:
            mark = self._mark(outbox)
        if seq == mark.last + 1 and not mark.above and mark.ended is None:
            mark.last = seq
            return True
        if seq <= mark.last or mark.ended is not None or seq in mark.above:
            return False
        self._set_above(mark, seq)
        return True

    def end(self, origin: Origin, clock: int) -> int | None:
        """At outbox_end, whose `seq` is the last number used: how many never came. None: it had ended before."""
        mark = self._mark(origin.outbox)
        if mark.ended is not None:
            return None
        last = max(origin.seq, mark.last, *mark.above)  # a file that was cut off knows less than the stream
        lost = last - mark.last - len(mark.above)
        mark.last, mark.above, mark.ended = last, set(), clock
        return lost

    def newly_dropped(self, origin: Origin) -> dict[str, int]:
        """By how much the outbox's drop counters, which every record repeats, rose since the last one seen."""
        mark = self._mark(origin.outbox)
        rise = {why: n - mark.dropped.get(why, 0) for why, n in origin.dropped.items() if n > mark.dropped.get(why, 0)}
        mark.dropped |= {why: origin.dropped[why] for why in rise}
        return rise

    def ended(self) -> dict[str, int]:
        """The tombstones: outboxes that ended, and when by the shard's clock."""
        return {outbox: mark.ended for outbox, mark in self._marks.items() if mark.ended is not None}

    def forget(self, outbox: str) -> str:
        """Drop a tombstone; the key of the state under which it lies."""
        self._changed.pop(outbox, None)
        return _state_key(self._marks.pop(outbox))

    def changes(self) -> dict[str, bytes]:
        """What is to be put into the state since the last call."""
        puts = {_state_key(mark): msgspec.msgpack.encode(mark) for mark in self._changed.values()}
        self._changed = {}
        return puts

    def restore(self, mark: _Mark) -> None:
        self._marks[mark.outbox] = mark

    def _mark(self, outbox: str) -> _Mark:
        mark = self._marks.get(outbox)
        if mark is None:
            mark = self._marks[outbox] = _Mark(outbox, self._key)
        self._changed[outbox] = mark
        return mark

    def _set_above(self, mark: _Mark, seq: int) -> None:
        mark.above.add(seq)
        if len(mark.above) > _ABOVE:
            lowest = min(mark.above)
            self.lost += lowest - mark.last - 1
            mark.last = lowest - 1
        while mark.last + 1 in mark.above:
            mark.last += 1
            mark.above.discard(mark.last)


class Dedupe:
    """The marks of one shard."""

    def __init__(self) -> None:
        self._keys: dict[str, Marks] = {}
        self._deleted: list[str] = []

    def of(self, key: str) -> Marks:
        """Those of one stream key."""
        found = self._keys.get(key)
        if found is None:
            found = self._keys[key] = Marks(key)
        return found

    def expire(self, clock: int) -> None:
        """Forget tombstones that are older than a year."""
        for marks in self._keys.values():
            old = [outbox for outbox, ended in marks.ended().items() if ended + _YEAR_S < clock]
            self._deleted += [marks.forget(outbox) for outbox in old]

    def take_lost(self) -> dict[str, int]:
        """How many numbers, by stream key, were given up for lost since the last call."""
        found = {key: marks.lost for key, marks in self._keys.items() if marks.lost}
        for key in found:
            self._keys[key].lost = 0
        return found

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts: dict[str, bytes] = {}
        for marks in self._keys.values():
            puts |= marks.changes()
        deletes, self._deleted = self._deleted, []
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        for key, value in stored.items():
            if key.startswith(_PREFIX):
                mark = msgspec.msgpack.decode(value, type=_Mark)
                self.of(mark.key).restore(mark)


def _state_key(mark: _Mark) -> str:
    return f"{_PREFIX}{mark.outbox}/{mark.key}".replace("\0", "%00")  # no store's text may hold it
