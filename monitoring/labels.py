"""Predictions wait for truth and truth for predictions, by (stream key, id, row).

The first truth of a row wins; a later equal one is a duplicate, a different one a correction. One prediction of a lane
is remembered per id: the live one, each shadow's, a test's; a second one is not. What is remembered is bounded by age
(the shard's clock) and by count, both from the oldest on, so that exactly a prefix of what came is forgotten.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from .label_log import LabelLog
from .label_values import NOTHING, TEST, Completed, Orphan, Place, Waiting, Who

JOINED, DUPLICATE, CORRECTED, PENDING = "joined", "duplicate", "corrected", "pending"

_Slots = dict[str, Waiting | list[Waiting]]


class Labels:
    """What one shard remembers: at most `count` predictions and early truths, none for longer than `age_s`."""

    def __init__(self, age_s: int, count: int):
        self._age_s, self._count = age_s, count
        self._who: list[Who] = []
        self._numbers: dict[Who, int] = {}
        self._slots: dict[str, _Slots] = {}  # by stream key
        self._slots_of: list[_Slots] = []  # the same by the number of who
        self._queue: deque[Waiting] = deque()
        self._next = 0
        self._completed: dict[str, list[Completed]] = {}
        self._orphans: list[Orphan] = []
        self._log = LabelLog()

    def __len__(self) -> int:
        return len(self._queue)

    def who(self, who: Who) -> int:
        """The number under which entries of `who` are remembered."""
        number = self._numbers.get(who)
        if number is None:
            number = self._numbers[who] = len(self._who)
            self._who.append(who)
            self._slots_of.append(self._slots.setdefault(who.key, {}))
        return number

    def predict(self, who: int, id: str, outputs: list[Any], at: Place) -> int | None:
        """Remember a prediction: how many rows of truth ceased to wait for it; None where its lane had that id."""
        slots, rows = self._slots_of[who], len(outputs)
        output, truth = (outputs[0], NOTHING) if rows == 1 else (outputs, {})
        entry = Waiting(who, id, self._next, at.clock, at.offset, at.index, rows, output, truth)
        found = slots.get(id)
        if found is None:
            slots[id] = entry
            self._remember(entry)
            return 0
        others = found if type(found) is list else [found]
        lane = self._who[who].lane
        if any(self._who[other.who].lane == lane for other in others):
            return None
        slots[id] = [*others, entry]
        self._remember(entry)
        return self._catch_up(entry, others, at)

    def truth(self, key: str, id: str, truths: Sequence[tuple[int, Any]], at: Place) -> list[str]:
        """Join (row, truth) to what was predicted; what became of each, in order."""
        slots = self._slots.setdefault(key, {})
        found = slots.get(id)
        others = [] if found is None else found if type(found) is list else [found]
        waiting: dict[int, Any] = {}
        outcomes = [self._join(others, row, truth, waiting, at) for row, truth in truths]
        if waiting:
            who = self.who(Who(key, "", "truth"))
            entry = Waiting(who, id, self._next, at.clock, at.offset, at.index, 0, None, waiting)
            slots[id] = [*others, entry] if others else entry
            self._remember(entry)
        return outcomes

    def expire(self, clock: int) -> None:
        """Forget what is older than the age; to be called whenever the shard's clock moves."""
        while self._queue and self._queue[0].clock + self._age_s < clock:
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
        first = self._queue[0].serial if self._queue else self._next
        return self._log.changes(first, self._who)

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        who, entries, self._next = self._log.restore(stored)
        for item in who:
            self.who(item)
        self._queue = deque(entries)
        for entry in entries:
            slots = self._slots_of[entry.who]
            found = slots.get(entry.id)
            others = [] if found is None else found if type(found) is list else [found]
            slots[entry.id] = [*others, entry] if others else entry
        for entry in entries:
            if entry.rows == 0:
                self._drop_joined(entry)

    def _remember(self, entry: Waiting) -> None:
        self._next += 1
        self._queue.append(entry)
        self._log.came(entry)
        if len(self._queue) > self._count:
            self._forget()

    def _join(self, others: list[Waiting], row: int, truth: Any, waiting: dict[int, Any], at: Place) -> str:
        first = waiting.get(row, NOTHING) if waiting else NOTHING
        for other in others:
            if other.has(row):
                first = other.truth_of(row)
                break
        if first is not NOTHING:
            return DUPLICATE if first == truth else CORRECTED
        outcome = PENDING
        for other in others:
            if row < other.rows:
                self._complete(other, row, truth, at)
                outcome = JOINED
        if outcome is PENDING:
            waiting[row] = truth
        return outcome

    def _complete(self, entry: Waiting, row: int, truth: Any, at: Place) -> None:
        who = self._who[entry.who]
        if who.lane != TEST:
            completed = self._completed.get(who.endpoint)
            if completed is None:
                completed = self._completed[who.endpoint] = []
            completed.append(Completed(entry, row, entry.output_of(row), truth, at))
        entry.learn(row, truth)
        self._log.joined((entry.serial, row, truth))

    def _catch_up(self, entry: Waiting, others: list[Waiting], at: Place) -> int:
        """Join the truth that an id's other entries know to a prediction that came later."""
        ceased = 0
        for row in range(entry.rows):
            source = next((other for other in others if other.has(row)), None)
            if source is None:
                continue
            self._complete(entry, row, source.truth_of(row), at)
            if source.rows == 0:
                del source.truth[row]
                ceased += 1
        return ceased

    def _drop_joined(self, entry: Waiting) -> None:
        """Of truth that waited: the rows that a prediction took over since."""
        found = self._slots_of[entry.who][entry.id]
        for other in found if type(found) is list else [found]:
            if other.rows:
                for row in [row for row in entry.truth if other.has(row)]:
                    del entry.truth[row]

    def _forget(self) -> None:
        entry = self._queue.popleft()
        slots = self._slots_of[entry.who]
        found = slots[entry.id]
        left = [other for other in found if other is not entry] if type(found) is list else []
        if left:
            slots[entry.id] = left[0] if len(left) == 1 else left
        else:
            del slots[entry.id]
        if entry.rows == 0:
            came = Place(entry.offset, entry.index, entry.clock, entry.clock)
            key = self._who[entry.who].key
            self._orphans += [Orphan(key, entry.id, row, truth, came) for row, truth in entry.truth.items()]
