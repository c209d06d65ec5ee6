"""What waits in the outboxes of a home, read from their files without a lock: the figures of a moment."""

from collections import Counter
from pathlib import Path
from typing import Any

from . import outbox_layout as layout
from .errors import StoreError
from .outbox_file import SUFFIX


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
    dropped: Counter[str] = Counter()
    for index in range(layout.SLOTS):
        start = layout.slot_offset(index)
        found = layout.unpack_slot(data[start : start + layout.SLOT_BYTES].ljust(layout.SLOT_BYTES, b"\0"))
        if found is None:
            break
        dropped.update(found[2])
    return max(0, head.base + path.stat().st_size - layout.DATA - head.sent), dropped
