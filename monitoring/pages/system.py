"""The system: functions and their workers, streams, stores, and what could not be used."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .functions import functions
from .page import Page
from .plumbing import plumbing
from .source import Source
from .span import Span

_LETTERS = 50


@dataclass(frozen=True)
class Place:
    """Where a store lies, and its bytes; None where it is no folder of this machine."""

    name: str
    at: str
    bytes: int | None


def system(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """As it is now."""
    found, trouble = functions(source)
    letters = source.queries.dead_letters()
    context = {
        "functions": found,
        "trouble": trouble,
        "plumbing": plumbing(source),
        "consumers": source.queries.consumers(),
        "places": places(source),
        "disk": disk(source.settings.home),
        "letters": letters[: -_LETTERS - 1 : -1],
        "letters_in_all": len(letters),
    }
    return Page("System", "system.html", context)


def places(source: Source) -> list[Place]:
    """Where everything lies."""
    home, settings = source.settings.home.absolute(), source.settings
    return [
        _place("streams", settings.stream, home / "streams"),
        _place("series", settings.series, home / "series.db"),
        _place("archive", settings.archive, home / "archive"),
        _place("state", settings.state, home / "state"),
        _place("outbox", "", home / "outbox"),
    ]


def disk(home: Path) -> tuple[int, int]:
    """(bytes that are free, bytes in all) where the home lies; of no home, zero."""
    try:
        found = shutil.disk_usage(home)
    except OSError:
        return 0, 0
    return found.free, found.total


def _place(name: str, url: str, path: Path) -> Place:
    if url:
        return Place(name, _without_secrets(url), None)
    files = [path, *path.rglob("*")]
    return Place(name, str(path), sum(_bytes(each) for each in files))


def _without_secrets(url: str) -> str:
    """A URL without what stands before its host, and without its query."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}{found}{rest.partition('?')[0].rpartition('@')[2]}"


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # it goes while we look
        return 0
