"""What is counted of each deployment, so that what was sent, recorded, archived and judged can be reconciled.

predictions: every recorded one is either counted, or has an id that was seen before (duplicate_id), or is a test;
`rows` are the rows of the counted ones. feedback: `recorded` counts records, all else rows of truth: each is pending
until its prediction comes, joined, a duplicate, a correction, an orphan, or a test; `reward` counts records that bring
only a reward. `repeated` are records that the stream held twice, `lost` those it never held.
"""

from collections.abc import Iterable, Mapping

import msgspec

_PREFIX = "counts/"


class Predictions(msgspec.Struct):
    counted: int = 0
    duplicate_id: int = 0
    test: int = 0
    rows: int = 0


class Feedback(msgspec.Struct):
    recorded: int = 0
    joined: int = 0
    duplicate: int = 0
    corrected: int = 0
    orphan: int = 0
    pending: int = 0
    test: int = 0
    reward: int = 0


class Counts(msgspec.Struct):
    """The counts of one stream key."""

    predictions: Predictions = msgspec.field(default_factory=Predictions)
    feedback: Feedback = msgspec.field(default_factory=Feedback)
    decisions: int = 0
    repeated: int = 0
    lost: int = 0
    dead_lettered: int = 0
    dropped: dict[str, int] = {}

    def add_dropped(self, by_reason: Mapping[str, int]) -> None:
        for reason, n in by_reason.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + n


def add(counts: Iterable[Counts]) -> Counts:
    """The sum of several."""
    total = Counts()
    for item in counts:
        _add_numbers(total.predictions, item.predictions)
        _add_numbers(total.feedback, item.feedback)
        _add_numbers(total, item)
        total.add_dropped(item.dropped)
    return total


def _add_numbers(total: msgspec.Struct, item: msgspec.Struct) -> None:
    for name in item.__struct_fields__:
        if isinstance(getattr(item, name), int):
            setattr(total, name, getattr(total, name) + getattr(item, name))


class CountBook:
    """The counts of every stream key of one shard."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self._stored: dict[str, bytes] = {}

    def of(self, key: str) -> Counts:
        found = self._counts.get(key)
        if found is None:
            found = self._counts[key] = Counts()
        return found

    def encoded(self) -> dict[str, bytes]:
        """The counts by stream key, as JSON."""
        return {key: msgspec.json.encode(counts) for key, counts in self._counts.items()}

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state since the last call."""
        now = {_PREFIX + key: value for key, value in self.encoded().items()}
        puts = {key: value for key, value in now.items() if self._stored.get(key) != value}
        self._stored = now
        return puts, []

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        self._stored = {key: value for key, value in stored.items() if key.startswith(_PREFIX)}
        for key, value in self._stored.items():
            self._counts[key.removeprefix(_PREFIX)] = msgspec.json.decode(value, type=Counts)
