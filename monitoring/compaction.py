"""Fewer and larger files in the archive: what was written range by range is taken over by files of some megabytes.

Files of one partition and size class are merged when there are eight of them, and whatever is left of a day when a
later one has begun; a file of 16 MB stays as it is. A file that is lost halfway loses nothing: the merged one is there
before its sources go, and readers drop doubles by position.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from functools import partial
from itertools import groupby

from leeway.interfaces import Archive, ArchiveFile

from .erase import without_ids

_CLASSES = (256 << 10, 2 << 20, 16 << 20)
_ENOUGH = 8
_MOST = 512  # files in one go


def compact(
    archive: Archive,
    prefixes: Iterable[str],
    rounds: int = 4,
    erased: Callable[[str], Collection[str]] = lambda key: (),
) -> int:
    """Merge the files whose names begin with one of the prefixes (`Consumer.prefix`); how many were taken over. The
    rows of the ids that were `erased` of a stream key are left out."""
    begin, taken = tuple(prefixes), 0
    for _ in range(rounds):
        found = mergeable([file for file in archive.files() if file.name.startswith(begin)]) if begin else []
        for files in found:
            ids = erased(files[0].deployment)
            archive.replace(files, merged_name(files), partial(without_ids, ids=ids))
            taken += len(files)
        if not found:
            break
    return taken


def drop_days(archive: Archive, days: int) -> int:
    """Remove what is older than `days` before the newest day of its deployment; how many files."""
    dropped = 0
    for _, same in groupby(sorted(archive.files(), key=lambda f: f.deployment), key=lambda f: f.deployment):
        files = list(same)
        kept = sorted({file.day for file in files})[-1]
        for (_, _, day), old in groupby(sorted(files), key=lambda file: file[:3]):
            if _days_between(day, kept) >= days:
                sources = list(old)
                archive.replace(sources, sources[0].name, lambda table: table.slice(0, 0))
                dropped += len(sources)
    return dropped


def mergeable(files: Iterable[ArchiveFile]) -> list[list[ArchiveFile]]:
    """Which files to merge with each other, in the order of their positions."""
    by_partition: dict[tuple[str, str, str], list[ArchiveFile]] = {}
    for file in files:
        by_partition.setdefault(file[:3], []).append(file)
    latest: dict[str, str] = {}
    for _, deployment, day in by_partition:
        latest[deployment] = max(day, latest.get(deployment, ""))
    found: list[list[ArchiveFile]] = []
    for (_, deployment, day), some in by_partition.items():
        by_class: dict[int, list[ArchiveFile]] = {}
        for file in sorted(some, key=lambda file: file.name):
            by_class.setdefault(_class(file), []).append(file)
        by_class.pop(len(_CLASSES), None)
        if day < latest[deployment]:
            by_class = {0: sorted((file for each in by_class.values() for file in each), key=lambda file: file.name)}
        enough = 2 if day < latest[deployment] else _ENOUGH
        found += [each[:_MOST] for each in by_class.values() if len(each) >= enough]
    return [part for each in found for part in _limited(each)]


def merged_name(files: list[ArchiveFile]) -> str:
    """`<prefix>-<first offset>-to-<last one>`."""
    parts = [file.name.split("-") for file in files]
    last = max(part[4] if len(part) > 4 and part[3] == "to" else part[2] for part in parts)
    return "-".join([*parts[0][:3], "to", last])


def _class(file: ArchiveFile) -> int:
    return sum(file.size >= size for size in _CLASSES)


def _limited(files: list[ArchiveFile]) -> list[list[ArchiveFile]]:
    """In groups that make files of little more than the largest class; a group of one stays as it is."""
    groups: list[list[ArchiveFile]] = [[]]
    for file in files:
        if sum(each.size for each in groups[-1]) >= _CLASSES[-1]:
            groups.append([])
        groups[-1].append(file)
    return [group for group in groups if len(group) > 1]


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
