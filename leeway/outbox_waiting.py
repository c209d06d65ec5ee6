"""What waits in the outboxes of a home, read from their files without a lock: the figures of a moment."""

from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

from . import outbox_layout as layout
from .errors import StoreError
from .outbox_file import KEPT, SUFFIX

_PIECE = 1 << 18


def outboxes_below(folder: Path) -> list[dict[str, Any]]:
    """[{function, outboxes, waiting_bytes, dropped: {reason: records}}] by function (project/function), in order."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob(f"[!.]*{SUFFIX}")):
        name = path.parent.relative_to(folder).as_posix()
        one = found.setdefault(name, {"function": name, "outboxes": 0, "waiting_bytes": 0, "dropped": {}})
        try:
            waiting, dropped = _read(path)
        except (OSError, StoreError):
            continue  # it ended meanwhile, or is none
        one["outboxes"] += 1
        one["waiting_bytes"] += waiting
        one["dropped"] = dict(Counter(one["dropped"]) + dropped)
    return list(found.values())


def _read(path: Path) -> tuple[int, Counter[str]]:
    """(bytes that wait, drops by reason)"""
    with path.open("rb") as file:
        data = file.read(layout.DATA)
        head = layout.unpack_head(data)
        waiting = _waiting(file, head)
    dropped: Counter[str] = Counter()
    for index in range(layout.SLOTS):
        start = layout.slot_offset(index)
        found = layout.unpack_slot(data[start : start + layout.SLOT_BYTES].ljust(layout.SLOT_BYTES, b"\0"))
        if found is None:
            break
        dropped.update(found[2])
    return waiting, dropped


def _waiting(file: BinaryIO, head: layout.Head) -> int:
    """Bytes from what was sent to the end. A file that is not larger than what is kept of it is written over again in
    place, so it ends with the last frame that is one."""
    start, size = layout.DATA + head.sent - head.base, file.seek(0, 2)
    if size > KEPT:
        return max(0, size - start)
    position, piece = head.sent, _PIECE
    while True:
        file.seek(layout.DATA + position - head.base)
        data = file.read(piece)
        found = layout.unpack_frames(data, position, layout.SLOTS)
        if found:
            position, piece = found[-1].end, _PIECE
        elif len(data) < piece:
            return position - head.sent
        else:
            piece = min(layout.frame_size(data), size)  # one that is larger than a piece, or none
            if piece <= len(data):
                return position - head.sent
