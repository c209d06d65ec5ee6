"""Has models compiled while a worker serves them as they are: it never waits for that."""

import logging
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from leeway.exclusive import exclusive
from leeway.own_program import own_program
from leeway.private_folder import private_folder

from .compile_cache import CompileCache
from .compile_order import CompileOrder
from .compiled import Compiled
from .engine import NATIVE, Engine

_PATIENCE_S = 300.0

_log = logging.getLogger("leeway.serving")

Told = Callable[[CompileOrder, Compiled | None, Engine], None]


class Compiler:
    """Compiles one model after the other, each in a process of its own, `after_s` seconds after it was asked.

    `told` hears what came of it: (the order, the compiled model or None, what it runs on now). Of several workers one
    compiles, and the others take what it made.
    """

    def __init__(self, told: Told, after_s: float):
        self._told, self._after_s = told, after_s
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._child: subprocess.Popen | None = None

    def start(self, orders: Sequence[CompileOrder]) -> None:
        if orders:
            threading.Thread(target=self._work, args=(orders,), name="leeway-compiler", daemon=True).start()

    def close(self) -> None:
        """What is under way is given up."""
        self._stop.set()
        with self._lock:
            if self._child is not None:
                self._child.kill()

    def _work(self, orders: Sequence[CompileOrder]) -> None:
        self._stop.wait(self._after_s)
        for order in orders:
            if self._stop.is_set():
                return
            try:
                self._told(order, *self._compiled(order))
            except Exception as error:
                _log.exception("model %s was not compiled", order.file)
                self._told(order, None, Engine(NATIVE, f"compiling it failed: {type(error).__name__}"))

    def _compiled(self, order: CompileOrder) -> tuple[Compiled | None, Engine]:
        cache = CompileCache(Path(order.home))
        with exclusive(private_folder(Path(order.home) / "models")):
            found, engine = cache.load(order.sha256)
            reason = "" if engine is not None else self._run(order)
        if engine is None and not reason:
            found, engine = cache.load(order.sha256)
        return found, engine or Engine(NATIVE, f"compiling it failed: {reason or 'nothing was left'}")

    def _run(self, order: CompileOrder) -> str:
        """Why it failed, "" where it did not."""
        from . import compile  # noqa: F401  so that a bundle holds it

        command = own_program("serving.models.compile", msgspec.json.encode(order).decode())
        with self._lock:
            if self._stop.is_set():
                return "the worker ends"
            self._child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            _, said = self._child.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
            return f"it took over {_PATIENCE_S:.0f} s"
        if not self._child.returncode:
            return ""
        return (said.decode("utf-8", "replace").strip().splitlines() or [f"exit code {self._child.returncode}"])[-1]
