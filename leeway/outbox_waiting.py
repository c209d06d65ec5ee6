"""What waits in the outboxes of a home, read from their files without a lock: the figures of a moment."""

from collections import Counter
from pathlib import Path
from typing import Any

from . import outbox_layout as layout
from .errors import StoreError
from .outbox_file import KEPT, SUFFIX


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
        slots = layout.unpack_slots(data)
        begin = layout.DATA + head.sent - head.base
        waiting = max(0, path.stat().st_size - begin)
        if begin + waiting <= KEPT:  # room that is used again, so it tells less than the frames do
            file.seek(begin)
            frames = layout.unpack_frames(file.read(), head.sent, len(slots))
            waiting = frames[-1].end - head.sent if frames else 0
    return waiting, sum((Counter(dropped) for _, _, dropped in slots), Counter())
