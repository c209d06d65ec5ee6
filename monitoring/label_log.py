"""How the label book lies in the state: per range one chunk of what came and one of the truths that were joined.

A chunk is never rewritten; it goes when the last entry that it speaks of is forgotten. Writing costs what came, not
what waits.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from .label_values import NOTHING, Waiting, Who
from .packing import pack

_FIRST, _WHO, _CAME, _JOINED = "labels/first", "labels/who", "labels/came/", "labels/joined/"

_Row = tuple[int, str, int, int, int, int, Any, dict[int, Any]]

_decode_came = msgspec.msgpack.Decoder(tuple[int, list[_Row]]).decode
_decode_joined = msgspec.msgpack.Decoder(list[tuple[int, int, Any]]).decode
_decode_who = msgspec.msgpack.Decoder(list[Who]).decode


class LabelLog:
    """Collects what a range changed, and reads all of it back."""

    def __init__(self) -> None:
        self._came: list[Waiting] = []
        self._joined: list[tuple[int, int, Any]] = []
        self._chunks: deque[tuple[int, str]] = deque()  # (the last serial that it speaks of, its key)
        self._number = self._first = self._named = 0
        self.came = self._came.append  # an entry is remembered
        self.joined = self._joined.append  # (serial, row, truth): a row of a prediction got its truth

    def changes(self, first: int, who: list[Who]) -> tuple[dict[str, bytes], list[str]]:
        """What to put and delete, where `first` is the oldest serial still remembered."""
        puts: dict[str, bytes] = {}
        if first != self._first:
            puts[_FIRST], self._first = pack(first), first
        if len(who) != self._named:
            puts[_WHO], self._named = pack(who), len(who)
        self._put_came(puts, first)
        self._put_joined(puts, first)
        return puts, self._outlived(first)

    def restore(self, stored: Mapping[str, bytes]) -> tuple[list[Who], list[Waiting], int]:
        """(who, every entry still remembered, the next serial)."""
        who = _decode_who(stored[_WHO]) if _WHO in stored else []
        self._first = msgspec.msgpack.decode(stored[_FIRST]) if _FIRST in stored else 0
        self._named = len(who)
        entries, next_serial = self._restore_came(stored)
        self._restore_joined(stored, entries)
        self._chunks = deque(sorted(self._chunks))
        return who, entries, next_serial

    def _put_came(self, puts: dict[str, bytes], first: int) -> None:
        came = [entry for entry in self._came if entry.serial >= first]
        self._came.clear()
        if came:
            key = f"{_CAME}{came[0].serial:016d}"
            puts[key] = pack((came[0].serial, [_row(entry) for entry in came]))
            self._chunks.append((came[-1].serial, key))

    def _put_joined(self, puts: dict[str, bytes], first: int) -> None:
        joined = [item for item in self._joined if item[0] >= first]
        self._joined.clear()
        if joined:
            key = f"{_JOINED}{self._number:016d}"
            self._number += 1
            puts[key] = pack(joined)
            self._chunks.append((max(item[0] for item in joined), key))

    def _outlived(self, first: int) -> list[str]:
        """The chunks that speak only of what is forgotten; one behind a longer-lived one waits for it."""
        gone = []
        while self._chunks and self._chunks[0][0] < first:
            gone.append(self._chunks.popleft()[1])
        return gone

    def _restore_came(self, stored: Mapping[str, bytes]) -> tuple[list[Waiting], int]:
        entries: list[Waiting] = []
        next_serial = self._first
        for key in sorted(key for key in stored if key.startswith(_CAME)):
            serial, rows = _decode_came(stored[key])
            next_serial = serial + len(rows)
            self._chunks.append((next_serial - 1, key))
            entries += [_entry(serial + i, row) for i, row in enumerate(rows) if serial + i >= self._first]
        return entries, next_serial

    def _restore_joined(self, stored: Mapping[str, bytes], entries: list[Waiting]) -> None:
        for key in sorted(key for key in stored if key.startswith(_JOINED)):
            joined = _decode_joined(stored[key])
            for serial, row, truth in joined:
                if serial >= self._first:
                    entries[serial - self._first].learn(row, truth)
            self._chunks.append((max(serial for serial, _, _ in joined), key))
            self._number = int(key.removeprefix(_JOINED)) + 1


def _row(entry: Waiting) -> _Row:
    """An entry without the truth of its rows, which the other chunks hold; waiting truth is the entry itself."""
    truth = {} if entry.rows else entry.truth
    return entry.who, entry.id, entry.clock, entry.offset, entry.index, entry.rows, entry.outputs, truth


def _entry(serial: int, row: _Row) -> Waiting:
    who, id, clock, offset, index, rows, outputs, truth = row
    return Waiting(who, id, serial, clock, offset, index, rows, outputs, NOTHING if rows == 1 else truth)
