"""Forwarding: what outboxes hold goes to the stream, from this process's own and from those that were left behind."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .clock import Clock, SystemClock
from .errors import StoreError
from .files import Files, OsFiles
from .interfaces import Stream
from .outbox import Outbox
from .outbox_file import SUFFIX, OutboxFile
from .outbox_sender import OutboxSender

_SOON_S, _PERIOD_S, _PACKING_S = 0.02, 0.2, 1.0
_FIRST_BACKOFF_S, _LAST_BACKOFF_S = 0.1, 5.0
_ADOPT_S = 30.0

_log = logging.getLogger("leeway.forwarder")


class Forwarder:
    """A daemon thread that sends what its outbox holds, every 20 to 200 ms while there is something, and sleeps else.
    When it starts, and each half minute, it adopts what dead processes left in the same folder. Where the stream
    fails it connects anew after a while, longer each time; `error` says why. No exception leaves it.
    """

    def __init__(
        self,
        outbox: Outbox,
        connect_stream: Callable[[], Stream],
        clock: Clock | None = None,
        batch: int = 1,
        files: Files | None = None,
    ):
        self.error = ""
        self._files = files or OsFiles()
        self._outbox, self._connect_stream, self._clock = outbox, connect_stream, clock or SystemClock()
        self._batch, self._sender = batch, OutboxSender(outbox.file, self._clock, batch)
        if batch > 1:
            outbox.hurry_at = min(batch, outbox.hurry_at)
        self._stream: Stream | None = None
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._adopt_at, self._backoff_s = self._clock.monotonic(), _FIRST_BACKOFF_S
        self._is_ended = self._is_late = False
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="leeway-forwarder", daemon=True)

    def start(self) -> None:
        self._outbox.work.set()
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Send the rest and one `outbox_end` per key, then delete the file. False: it took too long; what is left
        stays in the file, to be adopted. What is appended from now on is dropped as "closing".
        """
        if self._thread.ident is None:
            self.start()
        self._deadline = self._clock.monotonic() + timeout_s
        self.begin_closing()
        self._outbox.work.set()
        self._outbox.hurry.set()
        self._thread.join(timeout_s + _FIRST_BACKOFF_S)
        return self._is_ended

    def wait(self, position: int, timeout_s: float) -> bool:
        """Wait until the stream has everything up to a position of the outbox. False: the stream fails, or took longer;
        then nobody waits again until it takes something.
        """
        self._outbox.hurry.set()
        with self._progress:
            self._progress.wait_for(lambda: self._has(position) or self._is_hopeless, timeout_s)
            self._is_late = not self._has(position)
            return not self._is_late

    def begin_closing(self) -> None:
        """From now on take nothing, and end when everything was sent."""
        self._outbox.refuse("closing")
        self._closing.set()

    def work(self) -> bool:
        """One round of what the thread does: send what is there, adopt what was left behind, and while closing end.
        Whether all of it is done and the file deleted. What the stream or a file refuses is raised.
        """
        self._forward()
        if self._closing.is_set():
            self._end()
        elif self._clock.monotonic() >= self._adopt_at:
            self._adopt()
        return self._is_ended

    @property
    def _is_hopeless(self) -> bool:
        return self._is_late or bool(self.error) or self._is_ended

    def _has(self, position: int) -> bool:
        return self._outbox.file.sent >= position

    def _tell(self, is_late: bool) -> None:
        with self._progress:
            self._is_late = is_late
            self._progress.notify_all()

    def _run(self) -> None:
        try:
            while not self._is_ended and self._clock.monotonic() < self._deadline:
                self._gather()
                try:
                    self.work()
                except Exception as error:
                    self._fail(error)
                else:
                    self._succeed()
        finally:
            self._disconnect()
            self._outbox.close()

    def _gather(self) -> None:
        """Wait until there is something to send, and a little longer, so that more comes with it."""
        work, hurry = self._outbox.work, self._outbox.hurry
        if self._closing.is_set():
            return
        period_s = _PERIOD_S
        if not work.wait(_PERIOD_S):
            period_s = _SOON_S
            work.wait(_ADOPT_S)
        if work.is_set() and not self._closing.is_set():
            hurry.wait(_PACKING_S if self._batch > 1 else period_s)
        hurry.clear()
        work.clear()

    def _succeed(self) -> None:
        if self.error:
            _log.info("the stream is back")
        self.error, self._backoff_s = "", _FIRST_BACKOFF_S

    def _forward(self) -> None:
        """Send what is there now. What comes meanwhile waits for the next time, so that chunks do not shrink."""
        file, until = self._outbox.file, self._outbox.file.end
        while file.sent < until and self._clock.monotonic() < self._deadline:
            if not self._sender.send(self._connected()) and file.sent < until:
                raise StoreError("the stream takes nothing")
            self._tell(is_late=False)
            self._outbox.reclaim()

    def _end(self) -> None:
        if self._sender.is_done:
            self._outbox.settle()
            if not self._sender.end(self._connected()):
                raise StoreError("the stream takes nothing")
            self._outbox.delete()
            self._is_ended = True

    def _adopt(self) -> None:
        own = self._outbox.file.path
        if any(path != own for path in outboxes(own.parent)):
            adopt(own.parent, self._connected(), self._files, self._clock, self._batch, between=self._forward)
        self._adopt_at = self._clock.monotonic() + _ADOPT_S

    def _connected(self) -> Stream:
        if self._stream is None:
            self._stream = self._connect_stream()
        return self._stream

    def _disconnect(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(Exception):
                stream.close()

    def _fail(self, error: Exception) -> None:
        """Wait, longer each time, and connect anew then; while closing, try again soon."""
        if not self.error:
            _log.warning("the stream is away, records wait in %s: %s", self._outbox.file.path, error)
        self.error = str(error) or type(error).__name__
        self._tell(is_late=True)
        self._disconnect()
        self._outbox.work.set()
        if self._closing.is_set():
            time.sleep(_FIRST_BACKOFF_S)
        else:
            self._closing.wait(self._backoff_s)
            self._backoff_s = min(2 * self._backoff_s, _LAST_BACKOFF_S)


def outboxes(folder: Path) -> list[Path]:
    """The outbox files in a folder, of the living and the dead, by name."""
    return sorted(folder.glob(f"[!.]*{SUFFIX}"))


def adopt(
    folder: Path,
    stream: Stream,
    files: Files | None = None,
    clock: Clock | None = None,
    batch: int = 1,
    between: Callable[[], None] = lambda: None,
) -> int:
    """Send the rest of every outbox in `folder` whose process is gone, and its ends, and delete it; how many those
    were. What the stream does not take now stays for the next time; its errors pass through. An outbox that cannot be
    read is left and logged. `between` is called after each chunk.
    """
    adopted = 0
    for path in outboxes(folder):
        file = _orphan(path, files or OsFiles())
        if file is None:
            continue
        try:
            sender = OutboxSender(file, clock or SystemClock(), batch)
            while sender.send(stream):
                between()
            if not sender.is_done or not sender.end(stream):
                raise StoreError("the stream takes nothing")
            file.delete()
            adopted += 1
        finally:
            file.close()
    return adopted


def _orphan(path: Path, files: Files) -> OutboxFile | None:
    try:
        return OutboxFile.adopt(path, files)
    except (StoreError, OSError, ValueError) as error:
        _log.warning("outbox %s stays where it is: %s", path, error)
        return None
