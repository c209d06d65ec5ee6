"""What could not be used: kept with its reason, its bytes and its place, the newest 10,000 of a shard."""

from collections.abc import Callable, Mapping

import msgspec

from leeway.record import Position

PREFIX = "dead/"
_BOUNDS = "dead-letters"
_KEPT = 10_000
_RAW_BYTES = 65_536


class DeadLetter(msgspec.Struct, frozen=True):
    """Why, where and when; `raw` holds at most the first 64 KiB. `key` is the stream key, empty where unknown."""

    reason: str
    position: Position
    appended: int
    key: str
    raw: bytes


class DeadLetters:
    """Collects those of one shard; the oldest go when there are too many."""

    def __init__(self) -> None:
        self._first = self._next = 0
        self._new: dict[str, bytes] = {}
        self._gone: list[str] = []

    def add(self, letter: DeadLetter) -> None:
        letter = msgspec.structs.replace(letter, raw=letter.raw[:_RAW_BYTES])
        self._new[letter_key(self._next)] = msgspec.msgpack.encode(letter)
        self._next += 1
        if self._next - self._first > _KEPT:
            gone = letter_key(self._first)
            self._first += 1
            if self._new.pop(gone, None) is None:
                self._gone.append(gone)

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts, deletes = self._new, self._gone
        self._new, self._gone = {}, []
        if puts:
            puts[_BOUNDS] = msgspec.msgpack.encode((self._first, self._next))
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds; the letters themselves stay there."""
        if _BOUNDS in stored:
            self._first, self._next = msgspec.msgpack.decode(stored[_BOUNDS], type=tuple[int, int])


def read(value: bytes) -> DeadLetter:
    """One letter as it lies in the state."""
    return msgspec.msgpack.decode(value, type=DeadLetter)


def bounds(get: Callable[[str], bytes | None]) -> tuple[int, int]:
    """The numbers of the oldest letter that is kept and of the next one, by what reads the state."""
    stored = get(_BOUNDS)
    return (0, 0) if stored is None else msgspec.msgpack.decode(stored, type=tuple[int, int])


def letter_key(number: int) -> str:
    """Where a letter lies in the state."""
    return f"{PREFIX}{number:016d}"
