"""Which remembered entries an id may have: 9.5 to 11 bytes of memory an entry, so that ten million fit.

256 tables by the first byte of a hash of 32 bits; open addressing with linear probing. A slot holds the other 24 bits
of the hash and, in 40 bits, the serial of the entry. That tells ids apart well enough to look only where something
is; the entry itself tells whether it is the one. Each table is a mapping of its own, so that one which is made anew
leaves no hole in the heap.
"""

from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

import numpy as np

_TABLES, _TAG_BITS, _SERIAL_BITS = 256, 24, 40
_TAG, _SERIAL = (1 << _TAG_BITS) - 1, (1 << _SERIAL_BITS) - 1
_SMALLEST = 2_048  # slots of a table
_LOOSE, _DENSE, _FULL = 0.75, 0.8, 0.85  # of a table's slots: after it was made, was loaded, and when it is made anew


class LabelIndex:
    """Hashes to serials. Serials are added in ascending order; those below `first` are forgotten."""

    def __init__(self) -> None:
        self.first = 0
        self._sought = self._free = 0
        nothing = memoryview(np.zeros(2, np.uint64))  # one slot and the empty one; made anew before it is written to
        self._tables: list[memoryview] = [nothing] * _TABLES
        self._sizes, self._left = [1] * _TABLES, [0] * _TABLES
        self._smallest = _SMALLEST

    def reserve(self, entries: int) -> None:
        """So many will be loaded: tables get their room at once, as growing again and again leaves holes in memory."""
        self._smallest = max(_SMALLEST, int(entries / _TABLES / _DENSE))

    def find(self, hash: int) -> list[int]:
        """The serials of the entries that have this hash, oldest first."""
        number, tag = hash >> _TAG_BITS, hash & _TAG
        table = self._tables[number]
        i = tag * self._sizes[number] >> _TAG_BITS
        found: list[int] = []
        while slot := table[i]:
            if slot >> _SERIAL_BITS == tag and slot & _SERIAL > self.first:
                found.append((slot & _SERIAL) - 1)
            i += 1
        self._sought, self._free = hash, i
        if len(found) > 1:
            found.sort()
        return found

    def add(self, serial: int) -> None:
        """Remember one more entry, of the hash that was sought last: where that ended, there is room for it."""
        hash, i = self._sought, self._free
        number, tag = hash >> _TAG_BITS, hash & _TAG
        if not self._left[number]:
            self._make(number, self._alive(number))
            self.find(hash)
            i = self._free
        table = self._tables[number]
        table[i] = tag << _SERIAL_BITS | serial + 1
        # The last slot stays empty, for `find` to stop at.
        self._left[number] = self._left[number] - 1 if i < len(table) - 2 else 0

    def load(self, hashes: np.ndarray, first: int) -> None:
        """Add many: uint32 of shape (n,), whose serials count from `first`."""
        numbers, tags = hashes >> np.uint32(_TAG_BITS), hashes.astype(np.uint64) & np.uint64(_TAG)
        slots = tags << np.uint64(_SERIAL_BITS) | np.arange(first + 1, first + 1 + len(hashes), dtype=np.uint64)
        slots = slots[np.argsort(numbers, kind="stable")]
        ends = np.cumsum(np.bincount(numbers, minlength=_TABLES)).tolist()
        for number, (start, end) in enumerate(zip([0, *ends], ends)):
            self._make(number, np.concatenate([self._alive(number), slots[start:end]]))

    def _alive(self, number: int) -> np.ndarray:
        slots = np.asarray(self._tables[number])
        return slots[slots & np.uint64(_SERIAL) > np.uint64(self.first)]

    def _make(self, number: int, slots: np.ndarray) -> None:
        """A table of these slots. In the order of their hashes, each lies at its home or right after the one before."""
        slots = np.sort(slots)
        size = max(self._smallest, int(len(slots) / _LOOSE)) if len(slots) > self._smallest * _FULL else self._smallest
        order = np.arange(len(slots))
        homes = ((slots >> np.uint64(_SERIAL_BITS)) * np.uint64(size) >> np.uint64(_TAG_BITS)).astype(np.int64)
        places = np.maximum.accumulate(homes - order) + order
        room = max(size, int(places[-1]) + 1 if len(places) else 0) + 16
        table = np.frombuffer(mmap(-1, 8 * room, MAP_PRIVATE | MAP_ANONYMOUS), np.uint64)
        table[places] = slots
        self._tables[number], self._sizes[number] = memoryview(table), size
        self._left[number] = int(size * _FULL) - len(slots)
