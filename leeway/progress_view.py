"""Shows progress: a bar per step on a terminal, plain lines in a log."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from .notebook_shell import notebook_shell
from .progress import LOGGER_NAME
from .progress import Progress as Told

_LINE_EACH_S = 5.0
_CELL_EACH_S = 0.2


@contextmanager
def shown(file: TextIO) -> Iterator[None]:
    """Show on `file` what is told inside."""
    logger = logging.getLogger(LOGGER_NAME)
    level, logger.propagate = logger.level, False
    console = Console(file=file)
    view = Bars(console) if console.is_terminal else Lines(file)
    logger.addHandler(view)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(view)
        logger.setLevel(level)
        logger.propagate = True
        view.close()


def show_in_notebook() -> None:
    """In a notebook's kernel: show what is told from now on, below the cell that runs. Elsewhere nothing."""
    logger = logging.getLogger(LOGGER_NAME)
    if notebook_shell() is not None and not any(isinstance(each, Cell) for each in logger.handlers):
        logger.addHandler(Cell())
        logger.setLevel(logging.INFO)
        logger.propagate = False


class Cell(logging.Handler):
    """A bar in the output of a notebook's cell, one for each step that counts; it needs no widgets."""

    def __init__(self) -> None:
        super().__init__()
        self._what, self._handle, self._last = (0, ""), None, 0.0

    def emit(self, record: logging.LogRecord) -> None:
        from IPython.display import HTML, display

        told: Told = record.progress
        shell = notebook_shell()
        if told.total is None or shell is None:
            return
        what = (shell.execution_count, told.step)
        if what == self._what and told.done < told.total and time.monotonic() - self._last < _CELL_EACH_S:
            return
        bar = f"<progress value='{told.done}' max='{told.total or 1}'></progress>"
        shown = HTML(f"{bar} {escape(told.step)} {told.done:,} of {told.total:,}")
        if what != self._what or self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)
        self._what, self._last = what, time.monotonic()


class Lines(logging.Handler):
    """A line when a step begins and ends, and each few seconds meanwhile."""

    def __init__(self, file: TextIO):
        super().__init__()
        self._file, self._last = file, 0.0

    def emit(self, record: logging.LogRecord) -> None:
        told: Told = record.progress
        if told.seconds is not None:
            self._print(f"{told.step}: done in {told.seconds:.1f} s")
        elif told.total is None:
            self._print(f"{told.step} ...")
        elif time.monotonic() - self._last >= _LINE_EACH_S:
            self._print(f"{told.step}: {told.done:,} of {told.total:,}")

    def _print(self, line: str) -> None:
        print(line, file=self._file, flush=True)
        self._last = time.monotonic()


class Bars(logging.Handler):
    """A bar for each step."""

    def __init__(self, console: Console):
        super().__init__()
        columns = (TextColumn("{task.description:<24}"), BarColumn(32), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False)
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()

    def emit(self, record: logging.LogRecord) -> None:
        told: Told = record.progress
        task = self._tasks.get(told.step)
        if task is None:
            task = self._tasks[told.step] = self._bars.add_task(told.step, total=told.total)
        if told.seconds is not None:
            total = self._bars.tasks[task].total or 1
            self._bars.update(task, completed=total, total=total)
        elif told.total is not None:
            self._bars.update(task, completed=told.done, total=told.total)

    def close(self) -> None:
        self._bars.stop()
        super().close()
