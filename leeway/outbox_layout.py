"""How an outbox lies on disk, version 1.

| bytes | what |
|---|---|
| 0 | magic, version, number of slots, when it was created (epoch microseconds), uuid |
| 64 | base: the position of the first byte of data; sent: the position up to which everything was forwarded |
| 4096 | the slots, 1024 bytes each: one per stream key |
| then | the data: frames, one after another |

A **position** counts all bytes of data that were ever written; data that was forwarded is cut off at the front, by
moving what is left and raising `base`. Everything that is written in place lies within one page, so that a process
that is killed leaves the old or the new of it, and was there before, so that a full disk has room for it.

Slot: last number sent (u64), length of the key (u16), key (at byte 16), then at byte 512 up to 16 drop counters: name
(24 bytes), count (u64). Frame: length of the payload (u32), checksum (u32), slot (u16), number (u48), payload. The
checksum is the payload's CRC-32, started from the frame's slot, number and position: what was left behind by a move
never passes for a frame.
"""

import struct
from typing import NamedTuple
from zlib import crc32

from .errors import StoreError

MAGIC, VERSION = b"LWOUTBOX", 1
SLOTS, SLOT_BYTES, FIRST_SLOT = 128, 1024, 4096
PLACE = 64
DATA = FIRST_SLOT + SLOTS * SLOT_BYTES
KEY_BYTES, REASON_BYTES, REASONS = 496, 24, 16
FRAME_HEAD = 16

_head = struct.Struct("<8sIIQ16s")
_place = struct.Struct("<QQ")
_slot = struct.Struct(f"<QH6x{KEY_BYTES}s")
_counter = struct.Struct(f"<{REASON_BYTES}sQ")
_frame = struct.Struct("<IIQ")
_number = struct.Struct("<Q")
_unpack_frame = _frame.unpack_from
_new_tuple = tuple.__new__  # Frame itself is a function in Python, which takes longer than all the rest
_MASK, _NUMBER_BITS, _NUMBER_MASK = 0xFFFFFFFF, 48, (1 << 48) - 1


class Head(NamedTuple):
    """What the first block says; `id` is 16 bytes."""

    id: bytes
    created_us: int
    base: int
    sent: int


class Frame(NamedTuple):
    """One record: its slot, its number there, its bytes, and the position after it."""

    slot: int
    number: int
    payload: bytes
    end: int


def pack_head(identity: bytes, created_us: int) -> bytes:
    return _head.pack(MAGIC, VERSION, SLOTS, created_us, identity).ljust(PLACE, b"\0") + pack_place(0, 0)


def unpack_head(data: bytes) -> Head:
    """From at least 80 bytes; StoreError where it is none of this version."""
    if len(data) < PLACE + _place.size or not data.startswith(MAGIC):
        raise StoreError(f"it does not start as an outbox: {data[:8]!r}; move it away")
    _, version, slots, created_us, identity = _head.unpack_from(data)
    if (version, slots) != (VERSION, SLOTS):
        raise StoreError(f"it has layout {version} with {slots} slots, known is {VERSION} with {SLOTS}: use the Leeway "
                         "that wrote it")  # fmt: skip
    return Head(identity, created_us, *_place.unpack_from(data, PLACE))


def pack_place(base: int, sent: int) -> bytes:
    """What belongs at PLACE."""
    return _place.pack(base, sent)


def slot_offset(slot: int) -> int:
    """Where a slot lies; its last number is its first 8 bytes."""
    return FIRST_SLOT + slot * SLOT_BYTES


def counter_offset(slot: int, counter: int) -> int:
    """Where the nth drop counter of a slot lies."""
    return slot_offset(slot) + 512 + counter * _counter.size


def pack_slot(key: str) -> bytes:
    """A new slot without its counters; ValueError where the key is empty or too long."""
    name = key.encode()
    if not 0 < len(name) <= KEY_BYTES:
        raise ValueError(f"a stream key has 1 to {KEY_BYTES} bytes: {key[:80]!r}")
    return _slot.pack(0, len(name), name)


pack_number = _number.pack


def pack_counter(reason: str, count: int) -> bytes:
    return _counter.pack(reason.encode(), count)


def unpack_slot(data: bytes) -> tuple[str, int, dict[str, int]] | None:
    """(key, last number sent, drop counters by reason) of the 1024 bytes of a slot; None for one that is free."""
    last, length, name = _slot.unpack_from(data)
    if length == 0:
        return None
    counters = (_counter.unpack_from(data, 512 + i * _counter.size) for i in range(REASONS))
    dropped = {reason.rstrip(b"\0").decode(): count for reason, count in counters if count}
    return name[:length].decode(), last, dropped


def unpack_slots(data: bytes) -> list[tuple[str, int, dict[str, int]]]:
    """Those that are taken, from the first DATA bytes of a file, or as much of them as there is."""
    found = []
    for index in range(SLOTS):
        start = slot_offset(index)
        slot = unpack_slot(data[start : start + SLOT_BYTES].ljust(SLOT_BYTES, b"\0"))
        if slot is None:
            break
        found.append(slot)
    return found


def pack_frame(position: int, slot: int, number: int, payload: bytes) -> bytes:
    """A frame to be written at `position`."""
    tag = slot << _NUMBER_BITS | number
    return _frame.pack(len(payload), crc32(payload, (position + tag * 0x9E3779B1) & _MASK), tag) + payload


def frame_size(data: bytes) -> int:
    """How long the frame is that starts here, as far as its head can be believed."""
    return FRAME_HEAD + _unpack_frame(data)[0]


def unpack_frames(data: bytes, position: int, slots: int, is_sound: bool = False) -> list[Frame]:
    """The frames in `data`, which was read from `position`, up to the first that is torn, cut off, or of a slot that
    is not among the first `slots`. `is_sound`: this process wrote them itself, so their checksums need no look.
    """
    found, at, last = [], 0, len(data) - FRAME_HEAD
    while at <= last:
        length, checksum, tag = _unpack_frame(data, at)
        stop = at + FRAME_HEAD + length
        payload = data[at + FRAME_HEAD : stop]
        slot = tag >> _NUMBER_BITS
        if len(payload) < length or tag == 0 or slot >= slots:
            break
        if not is_sound and crc32(payload, (position + at + tag * 0x9E3779B1) & _MASK) != checksum:
            break
        at = stop
        found.append(_new_tuple(Frame, (slot, tag & _NUMBER_MASK, payload, position + at)))
    return found
