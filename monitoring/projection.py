"""What one consumer shows to everybody in the shared state: its position, counts, incidents and endpoints.

Written after the consumer's own commit and guarded by the position, so that a slow consumer never overwrites what a
later one showed.
"""

from collections.abc import Mapping

import msgspec

from leeway.errors import Conflict, StoreError
from leeway.interfaces import State

PREFIX = "monitoring/"
CONSUMER, COUNTS, INCIDENT, ENDPOINT = (PREFIX + name for name in ("consumer/", "counts/", "incident/", "endpoint/"))
_VERSION = PREFIX + "version"
VERSION = 1  # of what is shown


class Shown(msgspec.Struct, frozen=True):
    """A consumer: what it reads, how far it has come, and the name of its own state."""

    stream: str
    shard: int
    position: int
    state: str


class Counted(msgspec.Struct, frozen=True):
    """The counts of one stream key, as one consumer counted them; `counts` is the JSON of a Counts."""

    key: str
    counts: msgspec.Raw


class Projection:
    """Of one consumer."""

    def __init__(self, shared: State, stream: str, shard: int, state_name: str):
        self._shared, self._stream, self._shard, self._state_name = shared, stream, shard, state_name
        self._guard = f"{CONSUMER}{stream}/{shard}"

    def show(self, position: int, counts: Mapping[str, bytes], changed: Mapping[str, bytes]) -> None:
        """Show the counts by stream key, and of the consumer's changed state what concerns others."""
        shown = Shown(self._stream, self._shard, position, self._state_name)
        puts = {self._guard: msgspec.json.encode(shown), _VERSION: msgspec.json.encode(VERSION)}
        for key, value in counts.items():
            counted = msgspec.json.encode(Counted(key, msgspec.Raw(value)))
            puts[f"{COUNTS}{self._stream}/{self._shard}/{key}"] = counted
        for key, value in changed.items():
            if key.startswith(("incident/", "endpoint/", "rewards/")):
                puts[PREFIX + key] = value
        while not self._put(position, puts):
            pass

    def _put(self, position: int, puts: dict[str, bytes]) -> bool:
        """Whether it is there, or something later is."""
        known = self._shared.get(self._guard)
        if known is not None and msgspec.json.decode(known, type=Shown).position > position:
            return True
        try:
            self._shared.commit(puts, expect={self._guard: known})
        except Conflict:
            return False
        return True


def check_version(shared: State) -> None:
    """StoreError where what is shown has another version; what was shown before versions were told has the first."""
    found = shared.get(_VERSION)
    if found is not None and (version := msgspec.json.decode(found, type=int)) != VERSION:
        raise StoreError(
            f"what consumers show in the shared state has version {version}, this Leeway reads {VERSION}: use the "
            "Leeway that wrote it"
        )
