"""`leeway logs`"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from leeway.errors import PlatformError
from leeway.log_lines import text_of
from leeway.settings import Settings

from . import functions
from .options import json_option, show

_POLL_S = 0.2
_BLOCK = 1 << 16


@click.command("logs", short_help="Show what a function logged.")
@click.argument("function")
@click.option("-f", "--follow", is_flag=True, help="Go on until interrupted.")
@click.option("-n", "--lines", type=click.IntRange(min=0), default=50, show_default=True, help="Lines of each worker.")
@json_option
def command(function: str, follow: bool, lines: int, as_json: bool) -> None:
    """Show the last lines of each worker of FUNCTION.

    \b
    Examples:
      leeway logs model-server
      leeway logs concept-drift -f -n 5
    """
    from leeway.local.home import Home

    settings = Settings.read()
    name = functions.find(functions.deployed(settings), function)
    folder = Home.at(settings.home).function(name).logs
    tails = {path: Tail(path) for path in sorted(folder.glob("*.log"))}
    if not tails and not follow:
        raise PlatformError(f"function {name} logged nothing yet ({folder} is empty)")
    found = {path.stem: tail.last(lines) for path, tail in tails.items()}
    show(found, as_json, lambda: (f"{worker}: {shown(line)}" for worker, texts in found.items() for line in texts))
    while follow:
        for path in sorted(folder.glob("*.log")):
            for line in tails.setdefault(path, Tail(path)).more():
                click.echo(f"{path.stem}: {shown(line)}")
        time.sleep(_POLL_S)


def shown(line: str) -> str:
    """JSON lines are text on a terminal, and stay what they are for a program."""
    return text_of(line) if sys.stdout.isatty() else line


class Tail:
    """The lines of a growing file."""

    def __init__(self, path: Path):
        self._path, self._at = path, 0

    def last(self, count: int) -> list[str]:
        """The last `count` lines; `more` goes on after them."""
        data = b""
        with open(self._path, "rb") as file:
            start = self._at = file.seek(0, 2)
            while start and data.count(b"\n") <= count:
                start = max(0, start - _BLOCK)
                file.seek(start)
                data = file.read(self._at - start)
        lines = data.decode(errors="replace").splitlines()
        return lines[len(lines) - min(count, len(lines)) :]

    def more(self) -> Iterator[str]:
        """The whole lines that came since; from the start where the file became shorter."""
        with open(self._path, "rb") as file:
            if file.seek(0, 2) < self._at:
                self._at = 0
            file.seek(self._at)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._at += whole
        yield from data[:whole].decode(errors="replace").splitlines()
