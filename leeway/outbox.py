"""The outbox: where a record lies from the moment its answer leaves until a stream has it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self
from uuid import uuid4

from .clock import Clock
from .errors import StoreError
from .files import Files, OsFiles
from .outbox_file import OutboxFile, Slot
from .record import Origin
from .settings import Settings

_MIB = 1 << 20
_MANY, _BEHIND, _SELDOM = 1_024, 2_048, 64
_PAUSE_S = 0.0002
_LITTLE = 256 << 10
_NO_SLOT = Slot(-1, "")
_CLOSED = "closed"


class Outbox:
    """One file per process incarnation, locked while it lives, never continued by another.

    Delivery: an `append` that returned True survives the death of the process (with `outbox.sync` that of the
    machine) and is forwarded at least once, in order. Numbers count the kept records of a stream key: from 1, by one,
    never reused. Drop counters lie in the file's header, so a full disk and `kill -9` keep them. Every thread may
    append; one Forwarder reads.
    """

    def __init__(self, file: OutboxFile, settings: Settings):
        self.file, self.id = file, file.id
        self.work, self.hurry = threading.Event(), threading.Event()
        self.hurry_at, self._look_at = _MANY, 0
        self._limit, self._sync = settings.outbox_limit_mb * _MIB, settings.outbox_sync
        self._lock = threading.RLock()
        self._slots: dict[str, Slot] = {}
        self._unkept: dict[str, dict[str, int]] = {}
        self._refusal: str = ""

    @classmethod
    def create(cls, folder: Path, settings: Settings, clock: Clock, files: Files | None = None) -> Self:
        """A new one in `folder`, which is created where it is absent; StoreError where it cannot be written."""
        try:
            file = OutboxFile.create(folder, uuid4().bytes, int(clock.now() * 1e6), files or OsFiles())
        except OSError as error:
            raise StoreError(f"no outbox in {folder}: {error}; set LEEWAY_HOME to a folder that is writable") from error
        return cls(file, settings)

    def append(self, key: str, make: Callable[[Origin], bytes]) -> bool:
        """Keep what `make` returns for the origin it is given. False: dropped, and counted by reason. Never raises.

        Where the forwarder is far behind, every 64th call pauses for 0.2 ms: without that, a busy thread never lets
        go of the interpreter for long enough.
        """
        file = self.file
        with self._lock:
            slot = self._slots.get(key) or self._add_slot(key)
            reason = self._refusal
            if slot is _NO_SLOT:
                reason = reason or "no_slot"
            if not reason:
                try:
                    payload = make(Origin(self.id, slot.last + 1, slot.dropped))
                    if file.end - file.sent + len(payload) <= self._limit:
                        file.write(slot, payload, self._sync)
                    else:
                        reason = "outbox_full"
                except OSError:
                    reason = "write_error"
                except Exception:
                    reason = "encode_error"
            if reason:
                self._count(key, slot, reason)
                return False
        if file.written >= self._look_at:
            self._look()
        if not self.work.is_set():
            self.work.set()
        return True

    def drop(self, key: str, reason: str, count: int = 1) -> None:
        """Count records that never came here. Never raises."""
        with self._lock:
            self._count(key, self._slots.get(key) or self._add_slot(key), reason, count)

    def waiting(self) -> tuple[int, int]:
        """(records, bytes) that were not forwarded yet."""
        return max(0, self.file.written - self.file.confirmed), self.file.end - self.file.sent

    def dropped(self) -> dict[str, dict[str, int]]:
        """How many records were dropped, by key and reason."""
        with self._lock:
            found = {key: dict(slot.dropped) for key, slot in self._slots.items() if slot.dropped}
            for key, counts in self._unkept.items():
                found[key] = dict(Counter(found.get(key, {})) + Counter(counts))
            return found

    def refuse(self, reason: str) -> None:
        """From now on drop everything for this reason: the outbox is about to end."""
        with self._lock:
            self._refusal = self._refusal or reason

    def settle(self) -> None:
        """Write the drop counts that found no place in the file yet, as far as there is one now."""
        with self._lock:
            for key in self._unkept.keys() - self._slots.keys():
                self._add_slot(key)

    def reclaim(self) -> None:
        """Give back the room of what was forwarded, where there is enough of it and little that waits. Only the
        forwarder calls this. OSError where the file could not be changed.
        """
        with self._lock:
            forwarded, waiting = self.file.sent - self.file.base, self.file.end - self.file.sent
            if forwarded >= _MIB and waiting <= (forwarded if forwarded >= self._limit // 4 else _LITTLE):
                self.file.reclaim(self._sync)

    def close(self) -> None:
        """Release the file. What was not forwarded stays in it, to be adopted. Later calls do nothing."""
        self._leave(self.file.close)

    def delete(self) -> None:
        """Remove the file: everything was forwarded, and the ends were sent."""
        self._leave(self.file.delete)

    def _look(self) -> None:
        """See how far behind the forwarder is, and when that is worth looking at again."""
        file = self.file
        waiting = file.written - file.confirmed
        self._look_at = file.confirmed + self.hurry_at
        if waiting >= self.hurry_at:
            if not self.hurry.is_set():
                self.hurry.set()
            if waiting >= _BEHIND and file.written % _SELDOM == 0:
                time.sleep(_PAUSE_S)

    def _leave(self, leave: Callable[[], None]) -> None:
        with self._lock:
            if self._refusal != _CLOSED:
                leave()
                self._refusal = _CLOSED

    def _add_slot(self, key: str) -> Slot:
        try:
            slot = self._slots[key] = self.file.add_slot(key)
        except (OSError, ValueError):
            return _NO_SLOT
        for reason, count in self._unkept.pop(key, {}).items():
            self._count(key, slot, reason, count)
        return slot

    def _count(self, key: str, slot: Slot, reason: str, count: int = 1) -> None:
        if slot is _NO_SLOT or self._refusal == _CLOSED:
            counts = self._unkept.setdefault(key, {})
            counts[reason] = counts.get(reason, 0) + count
            return
        try:
            self.file.write_dropped(slot, reason, count)
        except (OSError, ValueError):
            pass  # counted in memory, and written with the next one
