"""A worker's end of the wire to its supervisor: a thread on a Unix socket.

A thread, so that it answers while a handler computes. One supervisor speaks at a time, in lines:
`hello` is answered when the function is loaded ("ready"), serves ("serving") or failed ("failed", with the reason);
`go` lets a loaded worker serve; `socket` hands out the listening socket (SCM_RIGHTS), which a supervisor that was
started anew needs to start more workers. When the line breaks before `go`, the worker has no owner and ends.
"""

import json
import os
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path

LOG_LIMIT = 10_000_000
_CHECK_LOG_S = 5.0


class Control(threading.Thread):
    """`wire` listens; `listener` is the function's listening socket, if it has one."""

    def __init__(self, wire: socket.socket, listener: socket.socket | None, log: Path):
        super().__init__(name="leeway-control", daemon=True)
        self._wire, self._listener, self._log = wire, listener, log
        self._phase: dict[str, str] = {}
        self._changed = threading.Condition()
        self._on_go: Callable[[], None] = _nothing

    def ready(self, on_go: Callable[[], None]) -> None:
        """The function is loaded. `on_go` is called, from this thread, when it may serve."""
        self._on_go = on_go
        self._set({"phase": "ready"})

    def serving(self) -> None:
        self._set({"phase": "serving"})

    def failed(self, reason: str, patience_s: float = 5.0) -> None:
        """Say why this worker ends; returns when somebody has heard it, or nobody did for `patience_s`."""
        self._set({"phase": "failed", "reason": reason})
        self.join(patience_s)

    def run(self) -> None:
        while True:
            self._wait_for_input(self._wire)
            connection, _ = self._wire.accept()
            with connection:
                self._converse(connection)
            if self._phase.get("phase") == "failed":
                return
            if self._phase.get("phase") != "serving":
                os._exit(0)  # nobody owns this worker, and it never served

    def _converse(self, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        commands = {b"hello\n": self._hello, b"go\n": self._go, b"socket\n": self._socket}
        try:
            while True:
                self._wait_for_input(connection)
                if not (line := lines.readline()):
                    return
                commands[line](connection)
                if self._phase.get("phase") == "failed":
                    return
        except OSError:
            return  # the supervisor is gone; the next one connects again

    def _hello(self, connection: socket.socket) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._phase)
        connection.sendall(json.dumps(self._phase).encode() + b"\n")

    def _go(self, connection: socket.socket) -> None:
        self._on_go()
        with self._changed:
            self._changed.wait_for(lambda: self._phase["phase"] != "ready")
        connection.sendall(json.dumps(self._phase).encode() + b"\n")

    def _socket(self, connection: socket.socket) -> None:
        fds = [self._listener.fileno()] if self._listener is not None and self._listener.fileno() >= 0 else []
        socket.send_fds(connection, [b"1" if fds else b"0"], fds)

    def _set(self, phase: dict[str, str]) -> None:
        with self._changed:
            self._phase = phase
            self._changed.notify_all()

    def _wait_for_input(self, wire: socket.socket) -> None:
        """Meanwhile, keep the log small."""
        with selectors.DefaultSelector() as selector:
            selector.register(wire, selectors.EVENT_READ)
            while not selector.select(_CHECK_LOG_S):
                rotate(self._log, LOG_LIMIT)


def rotate(path: Path, limit: int) -> None:
    """Point stdout and stderr to a fresh file when theirs has grown over `limit` bytes; one older file is kept.

    An old and a new worker may write to the same file for a while: whoever finds it renamed follows.
    """
    here = os.fstat(1)
    try:
        named = path.stat()
    except FileNotFoundError:
        return
    if here.st_ino == named.st_ino:
        if here.st_size <= limit:
            return
        path.replace(path.with_suffix(".log.1"))
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def _nothing() -> None:
    """Before the function is loaded there is nothing to start."""
