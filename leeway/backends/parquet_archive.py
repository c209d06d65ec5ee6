"""The archive in a folder: Parquet files under kind=K/deployment=D/day=YYYY-MM-DD/."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, unquote
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from leeway.errors import StoreError
from leeway.files import Files, OsFiles
from leeway.interfaces import Archive, ArchiveFile
from leeway.private_folder import private_folder

from .exclusive import exclusive
from .unify_tables import POSITION, unify_tables

_LISTINGS = 5
VERSION, _VERSION_KEY = 1, b"leeway.version"  # of what the columns mean; in each file's metadata


class ParquetArchive(Archive):
    """Each file is written under a hidden name, synced and renamed, so a reader sees all of it or nothing. Kind and
    deployment are URL-quoted in the path. A reader whose files go while it reads them (they were compacted) starts
    anew. Columns that no file has are left out of what is read.
    """

    def __init__(self, folder: Path, files: Files | None = None):
        self._folder, self._files = folder.absolute(), files or OsFiles()

    def write(self, kind: str, deployment: str, day: str, name: str, table: pa.Table) -> None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or not re.fullmatch(r"[^./][^/]*", name):
            raise StoreError(f"no day and file name of the archive: {day!r}, {name!r}; give YYYY-MM-DD and a bare name")
        folder = self._day(kind, deployment, day)
        try:
            self._put(private_folder(folder) / f"{name}.parquet", _encoded(table))
        except OSError as error:
            raise StoreError(f"archive {folder}: {error}; is its disk writable and not full?") from error

    def read(
        self, kind: str, deployment: str | None = None, columns: Sequence[str] | None = None, days: Sequence[str] = ()
    ) -> pa.Table:
        wanted = None if columns is None else [*columns, *(name for name in POSITION if name not in columns)]
        table = unify_tables(self._tables(kind, deployment, wanted, days))
        if columns is None:
            return table
        return table.select([name for name in columns if name in table.column_names])

    def deployments(self, kind: str) -> list[str]:
        found = {path.parent.parent.name for path in self._paths(kind, None, ())}
        return sorted(unquote(name.removeprefix("deployment=")) for name in found)

    def files(self) -> list[ArchiveFile]:
        found = []
        for path in sorted(self._folder.glob("kind=*/deployment=*/day=*/*.parquet")):
            kind, deployment, day = (unquote(part.partition("=")[2]) for part in path.parts[-4:-1])
            if not path.name.startswith("."):
                try:
                    found.append(ArchiveFile(kind, deployment, day, path.stem, path.stat().st_size))
                except FileNotFoundError:  # replaced meanwhile
                    continue
        return found

    def replace(
        self, sources: Sequence[ArchiveFile], name: str, change: Callable[[pa.Table], pa.Table] = lambda table: table
    ) -> None:
        folder = self._day(*sources[0][:3])
        target = folder / f"{name}.parquet"
        try:
            with exclusive(folder):
                paths = [path for source in sources if (path := folder / f"{source.name}.parquet").exists()]
                table = change(unify_tables([_read(path, None) for path in paths]))
                if table.num_rows:
                    self._put(target, _encoded(table))
                for path in paths:
                    if path != target or not table.num_rows:
                        self._files.unlink(path)
        except OSError as error:
            raise StoreError(f"archive {folder}: {error}; is its disk writable and not full?") from error

    def _day(self, kind: str, deployment: str, day: str) -> Path:
        return self._folder / f"kind={quote(kind, '')}" / f"deployment={quote(deployment, '')}" / f"day={day}"

    def _put(self, path: Path, data: bytes) -> None:
        hidden = path.with_name(f".{uuid4().hex}.tmp")
        fd = self._files.create(hidden)
        try:
            try:
                if self._files.pwrite(fd, data, 0) != len(data):
                    raise OSError(28, "no space left for the whole file")
                self._files.datasync(fd)
            finally:
                self._files.close(fd)
            self._files.rename(hidden, path)
        except OSError:
            self._files.unlink(hidden)
            raise

    def _tables(
        self, kind: str, deployment: str | None, columns: Sequence[str] | None, days: Sequence[str]
    ) -> list[pa.Table]:
        for _ in range(_LISTINGS):
            try:
                return [_read(path, columns) for path in self._paths(kind, deployment, days)]
            except FileNotFoundError as error:
                gone = error
        raise StoreError(f"archive {self._folder}: files go faster than they can be read ({gone}); try again later")

    def _paths(self, kind: str, deployment: str | None, days: Sequence[str]) -> list[Path]:
        """The files, in the order of their paths."""
        below = self._folder / f"kind={quote(kind, '')}"
        one = "*" if deployment is None else _literally(quote(deployment, ""))
        found = [path for path in below.glob(f"deployment={one}/day=*/*.parquet") if not path.name.startswith(".")]
        return sorted(path for path in found if not days or path.parent.name.removeprefix("day=") in days)


def _encoded(table: pa.Table) -> bytes:
    table = table.replace_schema_metadata({_VERSION_KEY: str(VERSION).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _read(path: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            _check_version(path, file.schema_arrow.metadata or {})
            present = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
            return file.read(present).replace_schema_metadata()
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(
            f"{path} is no whole Parquet file: {error}; Leeway writes none like that, move it away"
        ) from error


def _check_version(path: Path, metadata: Mapping[bytes, bytes]) -> None:
    """A file without a version is of the first."""
    version = metadata.get(_VERSION_KEY, b"1").decode()
    if version != str(VERSION):
        raise StoreError(f"{path} has version {version}, this Leeway reads {VERSION}: use the Leeway that wrote it")


def _literally(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
