"""Predictions wait for truth and truth for predictions, by (stream key, id, row).

The first truth of a row wins; a later equal one is a duplicate, a different one a correction. One prediction of a lane
is remembered per id: the live one, each shadow's, a test's; a second one is not. What is remembered (each prediction,
each record of truth that brought something first) is bounded by age (the shard's clock) and by count, both from the
oldest on, so that exactly a prefix of what came is forgotten.

What came is a log, in pieces on disk (label_pieces.py), and an index of it by id, in memory (label_index.py).
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from leeway.interfaces import State

from .label_index import LabelIndex
from .label_pieces import WHO, LabelPieces
from .label_values import LIVE, TEST, Completed, Entry, Orphan, Place, Who
from .outcomes import CORRECTED, DUPLICATE, JOINED, PENDING
from .packing import pack

_FIRST, _NEXT, _WHO = "labels/first", "labels/next", WHO
_TRUTH = "truth"  # the lane of records of truth
_NOTHING: list[Any] = []  # what a record of truth predicts
_BITS_32 = 0xFFFFFFFF
_AT_ONCE = 250_000  # hashes that are put into the index in one go


class Labels:
    """What one shard remembers: at most `count` entries, none for longer than `age_s`. `state` is only read, for what
    does not fit into memory."""

    def __init__(self, age_s: int, count: int, state: State | None = None):
        self._age_s, self._count = age_s, count
        self._who: list[Who] = []
        self._numbers: dict[Who, int] = {}
        self._salts: list[int] = []  # what sets the ids of one stream key apart from another's, by the number of who
        self._truths: dict[str, int] = {}  # by stream key, the number under which its records of truth go
        self._pieces, self._index = LabelPieces(state), LabelIndex()
        self._completed: dict[str, list[Completed]] = {}
        self._orphans: list[Orphan] = []
        self._stored: dict[str, Any] = {}

    def __len__(self) -> int:
        return self._pieces.next - self._pieces.first

    def who(self, who: Who) -> int:
        """The number under which entries of `who` are remembered."""
        number = self._numbers.get(who)
        if number is None:
            number = self._numbers[who] = len(self._who)
            self._who.append(who)
            self._salts.append(hash(who.key))
        return number

    def predict(self, who: int, id: str, outputs: list[Any], at: Place) -> int | None:
        """Remember a prediction: how many rows of truth ceased to wait for it; None where its lane had that id."""
        serials = self._index.find((hash(id) ^ self._salts[who]) & _BITS_32)
        entry = Entry(who, id, at.clock, at.offset, at.index, len(outputs), outputs)
        ceased = 0
        if serials:
            others = self._entries(self._who[who].key, id, serials)
            lane = self._who[who].lane
            if any(self._who[other.who].lane == lane for other in others):
                return None
            ceased = self._catch_up(entry, others, at)
        self._remember(entry)
        return ceased

    def arm(self, key: str, id: str) -> str:
        """The arm that answered a request; "" where that is not remembered, or there was no choice."""
        hashed = (hash(id) ^ hash(key)) & _BITS_32
        for entry in self._entries(key, id, self._index.find(hashed)):
            if self._who[entry.who].lane == LIVE:
                return self._who[entry.who].arm
        return ""

    def truth(self, key: str, id: str, truths: Sequence[tuple[int, Any]], at: Place) -> list[str]:
        """Join (row, truth) to what was predicted; what became of each, in order."""
        who = self._truths.get(key)
        if who is None:
            who = self._truths[key] = self.who(Who(key, "", _TRUTH))
        serials = self._index.find((hash(id) ^ self._salts[who]) & _BITS_32)
        others = self._entries(key, id, serials) if serials else []
        entry = Entry(who, id, at.clock, at.offset, at.index, 0, _NOTHING)
        outcomes = [self._join(entry, others, row, truth, at) for row, truth in truths]
        if entry.truths:
            self._remember(entry)
        return outcomes

    def expire(self, clock: int) -> None:
        """Forget what is older than the age; to be called whenever the shard's clock moves."""
        pieces = self._pieces
        while pieces.first < pieces.next and pieces.entry(pieces.first).clock + self._age_s < clock:
            self._forget()

    def take_completed(self) -> dict[str, list[Completed]]:
        """By endpoint, the rows that have both since the last call, in that order; without tests."""
        found, self._completed = self._completed, {}
        return found

    def take_orphans(self) -> list[Orphan]:
        """Truth that was forgotten before its prediction came, since the last call."""
        found, self._orphans = self._orphans, []
        return found

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts, deletes = self._pieces.changes()
        self._index.first = self._pieces.first
        now = {_FIRST: self._pieces.first, _NEXT: self._pieces.next, _WHO: tuple(self._who)}
        puts |= {key: pack(value) for key, value in now.items() if self._stored.get(key) != value}
        self._stored = now
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds; `stored` has its keys under labels/."""
        if _NEXT not in stored:
            return
        first, following = (msgspec.msgpack.decode(stored[key], type=int) for key in (_FIRST, _NEXT))
        for item in msgspec.msgpack.decode(stored[_WHO], type=list[Who]):
            self.who(item)
        self._index.first = first
        self._index.reserve(following - first)
        hashes, start = array("I"), first
        for serial, piece in self._pieces.restore(first, following):
            start = start if hashes else serial
            hashes.extend([self._hash(entry.who, entry.id) for entry in piece])
            if len(hashes) >= _AT_ONCE:
                self._index.load(np.array(hashes, np.uint32), start)
                hashes = array("I")
        self._index.load(np.array(hashes, np.uint32), start)
        self._stored = {_FIRST: first, _NEXT: following, _WHO: tuple(self._who)}

    def _hash(self, who: int, id: str) -> int:
        """32 bits; other ones in each process, so that nobody can choose ids that collide. Written out where it is
        called for each record."""
        return (hash(id) ^ self._salts[who]) & _BITS_32

    def _remember(self, entry: Entry) -> None:
        """Keep an entry of the id that was sought last."""
        self._index.add(self._pieces.append(entry))
        if self._pieces.next - self._pieces.first > self._count:
            self._forget()

    def _entries(self, key: str, id: str, serials: Sequence[int]) -> list[Entry]:
        """Of some entries those of that id, in order."""
        found = []
        for serial in serials:
            entry = self._pieces.entry(serial)
            if entry.id == id and self._who[entry.who].key == key:
                found.append(entry)
        return found

    def _join(self, entry: Entry, others: list[Entry], row: int, truth: Any, at: Place) -> str:
        outcome = PENDING
        for known in (*others, entry) if entry.truths else others:
            for known_row, first, _ in known.truths:
                if known_row == row:
                    return DUPLICATE if first == truth else CORRECTED
        for other in others:
            if row < other.rows:
                self._complete(other, row, truth, at)
                outcome = JOINED
        entry.truths += ((row, truth, outcome is JOINED),)
        return outcome

    def _complete(self, entry: Entry, row: int, truth: Any, at: Place) -> None:
        who = self._who[entry.who]
        if who.lane != TEST:
            completed = self._completed.get(who.endpoint)
            if completed is None:
                completed = self._completed[who.endpoint] = []
            completed.append(Completed(entry, row, entry.outputs[row], truth, at))

    def _catch_up(self, entry: Entry, others: list[Entry], at: Place) -> int:
        """Join the truth that an id's other entries know to a prediction that came later; it is kept with it too, as
        it may be forgotten before it."""
        ceased = 0
        known: dict[int, tuple[Any, bool]] = {}
        predicted = max((other.rows for other in others), default=0)
        for other in others:
            for row, truth, joined in other.truths:
                known.setdefault(row, (truth, joined))
        for row in range(entry.rows):
            if row in known:
                truth, joined = known[row]
                self._complete(entry, row, truth, at)
                entry.truths += ((row, truth, True),)
                ceased += not joined and row >= predicted
        return ceased

    def _forget(self) -> None:
        entry = self._pieces.entry(self._pieces.first)
        self._pieces.first = self._index.first = self._pieces.first + 1
        waiting = [(row, truth) for row, truth, joined in entry.truths if not joined]
        if not waiting or entry.rows:
            return
        key = self._who[entry.who].key
        others = self._entries(key, entry.id, self._index.find(self._hash(entry.who, entry.id)))
        predicted = max((other.rows for other in others), default=0)
        came = Place(entry.offset, entry.index, entry.clock, entry.clock)
        self._orphans += [Orphan(key, entry.id, row, truth, came) for row, truth in waiting if row >= predicted]
