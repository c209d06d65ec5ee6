"""What MLRun leaves behind when a process that ran something ends."""

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path

import mlrun
from mlrun.common.runtimes.constants import RunStates


class Leftovers:
    """Cleared at exit: the temporary file of each run, and a program's own context (`get_or_create_ctx`) that goes on
    "running" although the program ended well."""

    def __init__(self, is_ours: Callable[[str, str], bool]):
        """`is_ours` says whether a run (project, uid) belongs to this process."""
        self._is_ours = is_ours
        self._files: set[str] = set()
        self._pid = os.getpid()
        atexit.register(self._clear)

    def note(self, project: str, uid: str) -> None:
        """Called when a run was changed. A child's file is left to the process that waits for what is in it."""
        if (path := os.environ.get("MLRUN_META_TMPFILE")) and self._is_ours(project, uid):
            self._files.add(path)

    def _clear(self) -> None:
        if os.getpid() != self._pid:
            return  # a fork inherits this object, not the runs
        self._end_context()
        for path in self._files:
            Path(path).unlink(missing_ok=True)

    def _end_context(self) -> None:
        context = mlrun.run.global_context.get()
        # Only contexts that nobody launched commit by themselves.
        if context is None or not context._autocommit or context.state in RunStates.terminal_states():
            return
        if not self._is_ours(context.project, context.uid):
            return
        if (error := getattr(sys, "last_value", None)) is not None:
            context.set_state(error=f"{type(error).__name__}: {error}")
        else:
            context.commit(completed=True)
