"""How the label book lies in the state: in pieces of 64 entries, compressed, that are never changed once full.

Writing costs what came, not what waits. The newest pieces stay in memory; an older one is read when its turn comes.
"""

from collections.abc import Iterator

import msgspec
import pyarrow as pa

from leeway.interfaces import State

from .label_values import Entry
from .packing import pack, unpack

PREFIX, WHO = "label/", "labels/who"
_BITS = 6
SIZE = 1 << _BITS
_HOT = 32  # pieces kept in memory
_PAGE = 2_000

_codec = pa.Codec("zstd", 1)
_decode_stored = msgspec.msgpack.Decoder(tuple[int, bytes]).decode
_decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode


class LabelPieces:
    """Entries by serial, `first` to `next`. `state` is only read; without one, full pieces stay here, compressed."""

    def __init__(self, state: State | None):
        self.first = self.next = 0
        self._state = state
        self._own: dict[str, bytes] = {}
        self._hot: dict[int, list[Entry]] = {}
        self._open: list[Entry] = []
        self._changed: set[int] = set()
        self._stored = 0  # the oldest piece that the state may hold

    def append(self, entry: Entry) -> int:
        """Keep an entry; its serial."""
        serial, piece = self.next, self._open
        if not serial % SIZE:
            piece = self._open = self._hot[serial >> _BITS] = []
            self._changed.add(serial >> _BITS)
        piece.append(entry)
        self.next = serial + 1
        return serial

    def entry(self, serial: int) -> Entry:
        """The entry of a serial that is remembered."""
        piece = self._hot.get(serial >> _BITS)
        return (self._read(serial >> _BITS) if piece is None else piece)[serial & SIZE - 1]

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What to put and delete since the last call."""
        if self.first == self.next and self.next % SIZE:  # nothing is remembered: the open piece may go too
            self.first = self.next = self.next + -self.next % SIZE
        oldest = self.first // SIZE
        changed = [number for number in sorted(self._changed) if number >= oldest]
        puts = {_key(number): _encoded(self._hot[number]) for number in changed}
        deletes = [_key(number) for number in range(self._stored, oldest)]
        if self._state is None:
            self._own |= puts
            for key in deletes:
                self._own.pop(key, None)
        self._changed = {self.next >> _BITS} if self.next % SIZE else set()
        self._hot = {number: piece for number, piece in self._hot.items() if number >= oldest}
        self._stored = oldest
        self._cool()
        return puts, deletes

    def restore(self, first: int, next: int) -> Iterator[tuple[int, list[Entry]]]:
        """Go on with the entries that the state holds; each piece of them, and the serial of its first entry."""
        self.first, self.next, self._stored = first, next, first // SIZE
        after = _key(self._stored - 1) if self._stored else ""
        while self._state is not None and (page := self._state.scan(PREFIX, after, _PAGE)):
            for key, value in page.items():
                yield int(key.removeprefix(PREFIX)) * SIZE, _decoded(value)
            after = key
        if next % SIZE:
            self._open = self._read(next // SIZE)
            self._changed.add(next // SIZE)

    def _read(self, number: int) -> list[Entry]:
        key = _key(number)
        piece = self._hot[number] = _decoded(self._own[key] if self._state is None else self._state.get(key))
        self._cool()
        return piece

    def _cool(self) -> None:
        """Let go of the pieces that were read or written longest ago; those that are not in the state stay."""
        surplus = len(self._hot) - _HOT - len(self._changed)
        if surplus > 0:
            for number in [number for number in self._hot if number not in self._changed][:surplus]:
                del self._hot[number]


def erased_pieces(state: State, key: str, ids: frozenset[str]) -> tuple[dict[str, bytes], int]:
    """The pieces of a state that hold entries of these ids of a stream key, without what those say; how many entries.
    Their places stay, as serials count them."""
    numbers = {number for number, who in enumerate(unpack(state.get(WHO) or b"\x90")) if who[0] == key}
    puts: dict[str, bytes] = {}
    erased, after = 0, ""
    while page := state.scan(PREFIX, after, _PAGE):
        for at, value in page.items():
            piece = _decoded(value)
            wanted = [entry for entry in piece if entry.id in ids and entry.who in numbers]
            for entry in wanted:
                entry.id, entry.rows, entry.outputs, entry.truths = "", 0, [], ()
            if wanted:
                puts[at], erased = _encoded(piece), erased + len(wanted)
        after = at
    return puts, erased


def _key(number: int) -> str:
    return f"{PREFIX}{number:012d}"


def _encoded(piece: list[Entry]) -> bytes:
    data = pack(piece)
    return pack((len(data), _codec.compress(data, asbytes=True)))


def _decoded(value: bytes) -> list[Entry]:
    size, data = _decode_stored(value)
    return _decode_entries(_codec.decompress(data, size, asbytes=True))
