"""What archives have in common, whatever their files lie on."""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import groupby
from typing import TypeVar
from urllib.parse import quote, unquote

import pyarrow as pa

from leeway.errors import StoreError
from leeway.interfaces import Archive, ArchiveFile, Within

from .parquet_bytes import encode
from .unify_tables import POSITION, unify_tables

_LISTINGS = 5
_FILE = re.compile(r"kind=([^/]*)/deployment=([^/]*)/day=([^/]*)/([^./][^/]*)\.parquet")
_T = TypeVar("_T")


class PartitionedArchive(Archive):
    """Parquet files under kind=K/deployment=D/day=YYYY-MM-DD/, which pandas, Spark and DuckDB read as partitions; kind
    and deployment are URL-quoted. A reader whose files go while it reads them (they were compacted) starts anew.
    Columns that no file has are left out of what is read.

    Backends list, read, put and remove files, by paths below `name`; `hint` ends what is said of an OSError.
    """

    def __init__(self, name: str, hint: str):
        self._name, self._hint = name, hint

    @abstractmethod
    def _listed(self, below: str) -> list[tuple[str, int]]:
        """(path, bytes) of every file below a folder, in any order; a hidden one may be among them."""

    @abstractmethod
    def _fetched(self, path: str, columns: Sequence[str] | None, where: Sequence[Within] = ()) -> pa.Table:
        """Those of the columns that the file has, and the rows that meet `where`. FileNotFoundError where it is not
        there."""

    @abstractmethod
    def _put(self, path: str, data: pa.Buffer) -> None:
        """Write a file, or replace it; nobody ever sees a part of it."""

    @abstractmethod
    def _remove(self, path: str) -> None:
        """Delete a file that is there."""

    def _alone(self, folder: str) -> AbstractContextManager:
        """Within it no other process replaces files of the folder, where the backend can see to that."""
        return nullcontext()

    def write(self, kind: str, deployment: str, day: str, name: str, table: pa.Table) -> None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or not re.fullmatch(r"[^./][^/]*", name):
            raise StoreError(f"no day and file name of the archive: {day!r}, {name!r}; give YYYY-MM-DD and a bare name")
        with self._told():
            self._put(f"{_folder(kind, deployment, day)}/{name}.parquet", encode(table))

    def read(
        self,
        kind: str,
        deployment: str | None = None,
        columns: Sequence[str] | None = None,
        days: Sequence[str] = (),
        where: Sequence[Within] = (),
    ) -> pa.Table:
        wanted = None if columns is None else [*columns, *(name for name in POSITION if name not in columns)]

        def tables() -> list[pa.Table]:
            """One for each deployment: no two of one stream key have one position, but those of different streams."""
            by_deployment = groupby(self._paths(kind, deployment, days), key=lambda path: path.split("/")[1])
            found = [[self._fetched(path, wanted, where) for path in paths] for _, paths in by_deployment]
            if where:
                found = [kept for tables in found if (kept := [table for table in tables if table.num_rows])]
            return [unify_tables(tables) for tables in found]

        found = self._again(tables)
        table = found[0] if len(found) == 1 else unify_tables(found, is_one_stream=False)
        if columns is None:
            return table
        return table.select([name for name in columns if name in table.column_names])

    def deployments(self, kind: str) -> list[str]:
        return sorted(
            {unquote(path.split("/")[1].partition("=")[2]) for path in self._again(lambda: self._paths(kind))}
        )

    def files(self) -> list[ArchiveFile]:
        return sorted(
            ArchiveFile(*map(unquote, match.groups()[:3]), match[4], size)
            for path, size in self._again(lambda: self._listed(""))
            if (match := _FILE.fullmatch(path))
        )

    def replace(
        self, sources: Sequence[ArchiveFile], name: str, change: Callable[[pa.Table], pa.Table] = lambda table: table
    ) -> None:
        folder = _folder(*sources[0][:3])
        target = f"{folder}/{name}.parquet"
        with self._told(), self._alone(folder):
            tables: dict[str, pa.Table] = {}
            for path in (f"{folder}/{source.name}.parquet" for source in sources):
                with suppress(FileNotFoundError):  # taken over already
                    tables[path] = self._fetched(path, None)
            table = change(unify_tables(list(tables.values())))
            if table.num_rows:
                self._put(target, encode(table))
            for path in tables:
                if path != target or not table.num_rows:
                    self._remove(path)

    def _paths(self, kind: str, deployment: str | None = None, days: Sequence[str] = ()) -> list[str]:
        """The files, in order."""
        below = f"kind={quote(kind, '')}" + ("" if deployment is None else f"/deployment={quote(deployment, '')}")
        found = (_FILE.fullmatch(path) for path, _ in self._listed(below))
        return sorted(match[0] for match in found if match and (not days or match[3] in days))

    def _again(self, act: Callable[[], _T]) -> _T:
        """What `act` gives when no file went amid it."""
        with self._told():
            for _ in range(_LISTINGS):
                try:
                    return act()
                except FileNotFoundError as error:
                    gone = error
            raise StoreError(f"archive {self._name}: files go faster than they can be read ({gone}); try again later")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"archive {self._name}: {error}; {self._hint}") from error


def _folder(kind: str, deployment: str, day: str) -> str:
    return f"kind={quote(kind, '')}/deployment={quote(deployment, '')}/day={day}"
