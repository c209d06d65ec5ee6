"""The archive on any file system that pyarrow (s3) or fsspec (the others) knows, laid out as in a folder."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import uuid4

import pyarrow as pa
from pyarrow import fs

from leeway.errors import StoreError
from leeway.interfaces import Archive, ArchiveFile

from .parquet_bytes import decode, encode
from .redacted import redacted
from .unify_tables import POSITION, unify_tables

_LISTINGS = 5
_T = TypeVar("_T")


class RemoteArchive(Archive):
    """Parquet files under kind=K/deployment=D/day=YYYY-MM-DD/, which pandas, Spark and DuckDB read as partitions; kind
    and deployment are URL-quoted. On S3 an object shows when it is whole; elsewhere a file is written under a hidden
    name, and moved.

    s3://key:secret@bucket/folder?region=..&endpoint_override=host:port&scheme=http&allow_bucket_creation=true: what is
    left out comes from where AWS's tools take it. Other schemes, gs:// say, need the package that fsspec names.
    """

    def __init__(self, url: str):
        self._name = redacted(url)
        self._files, self._base, self._is_whole = _opened(url, self._name)
        self._has_bucket = "allow_bucket_creation=true" not in url

    def write(self, kind: str, deployment: str, day: str, name: str, table: pa.Table) -> None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or not re.fullmatch(r"[^./][^/]*", name):
            raise StoreError(f"no day and file name of the archive: {day!r}, {name!r}; give YYYY-MM-DD and a bare name")
        folder = self._day(kind, deployment, day)
        self._told(lambda: self._put(folder, f"{name}.parquet", encode(table)))

    def read(
        self, kind: str, deployment: str | None = None, columns: Sequence[str] | None = None, days: Sequence[str] = ()
    ) -> pa.Table:
        wanted = None if columns is None else [*columns, *(name for name in POSITION if name not in columns)]
        table = unify_tables(self._tables(kind, deployment, wanted, days))
        if columns is None:
            return table
        return table.select([name for name in columns if name in table.column_names])

    def deployments(self, kind: str) -> list[str]:
        found = {path.split("/")[-3] for path in self._told(lambda: self._paths(kind, None, ()))}
        return sorted(unquote(name.removeprefix("deployment=")) for name in found)

    def files(self) -> list[ArchiveFile]:
        """Every file, in order."""
        selector = fs.FileSelector(self._base, allow_not_found=True, recursive=True)
        infos = self._told(lambda: self._files.get_file_info(selector))
        found = [
            ArchiveFile(
                *(unquote(part.partition("=")[2]) for part in folders), name.removesuffix(".parquet"), info.size
            )
            for info in infos
            if info.type == fs.FileType.File
            for *folders, name in [info.path.split("/")[-4:]]
            if name.endswith(".parquet") and not name.startswith(".")
        ]
        return sorted(found)

    def replace(
        self, sources: Sequence[ArchiveFile], name: str, change: Callable[[pa.Table], pa.Table] = lambda table: table
    ) -> None:
        """Put `change` of what the files hold together in their place, as one file; no file where no row is left. They
        are of one kind, deployment and day. No lock holds others back: let one process replace at a time."""
        folder = self._day(*sources[0][:3])
        paths = {source.name: f"{folder}/{source.name}.parquet" for source in sources}
        infos = self._told(lambda: self._files.get_file_info(list(paths.values())))
        there = [info.path for info in infos if info.type == fs.FileType.File]
        table = change(unify_tables([self._read(path, None) for path in there]))
        if table.num_rows:
            self._told(lambda: self._put(folder, f"{name}.parquet", encode(table)))
        for path in there:
            if path != f"{folder}/{name}.parquet" or not table.num_rows:
                self._told(lambda path=path: self._files.delete_file(path))

    def _day(self, kind: str, deployment: str, day: str) -> str:
        return f"{self._base}/kind={quote(kind, '')}/deployment={quote(deployment, '')}/day={day}"

    def _put(self, folder: str, name: str, data: Any) -> None:
        self._make_bucket()
        if not self._is_whole:
            self._files.create_dir(folder)
        path = f"{folder}/{name}" if self._is_whole else f"{folder}/.{uuid4().hex}.tmp"
        with self._files.open_output_stream(path) as out:
            out.write(data)
        if not self._is_whole:
            self._files.move(path, f"{folder}/{name}")

    def _make_bucket(self) -> None:
        """Once, where the URL says so."""
        bucket = self._base.split("/")[0]
        if not self._has_bucket and self._is_whole:
            if self._files.get_file_info(bucket).type == fs.FileType.NotFound:
                self._files.create_dir(bucket)
            self._has_bucket = True

    def _tables(
        self, kind: str, deployment: str | None, columns: Sequence[str] | None, days: Sequence[str]
    ) -> list[pa.Table]:
        for _ in range(_LISTINGS):
            paths = self._told(lambda: self._paths(kind, deployment, days))
            try:
                return [self._read(path, columns) for path in paths]
            except FileNotFoundError as error:
                gone = error
        raise StoreError(f"archive {self._name}: files go faster than they can be read ({gone}); try again later")

    def _paths(self, kind: str, deployment: str | None, days: Sequence[str]) -> list[str]:
        """The files, in the order of their paths."""
        below = f"{self._base}/kind={quote(kind, '')}"
        if deployment is not None:
            below += f"/deployment={quote(deployment, '')}"
        infos = self._files.get_file_info(fs.FileSelector(below, allow_not_found=True, recursive=True))
        found = [info.path for info in infos if info.type == fs.FileType.File and info.path.endswith(".parquet")]
        shown = [path for path in found if not path.rpartition("/")[2].startswith(".")]
        return sorted(path for path in shown if not days or path.split("/")[-2].removeprefix("day=") in days)

    def _read(self, path: str, columns: Sequence[str] | None) -> pa.Table:
        try:
            with self._files.open_input_file(path) as source:
                return decode(source, f"{path} of {self._name}", columns)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._refusal(error) from error

    def _told(self, act: Callable[[], _T]) -> _T:
        try:
            return act()
        except (OSError, pa.ArrowException) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> StoreError:
        return StoreError(f"archive {self._name}: {error}; is it there, and may it be read and written?")


def _opened(url: str, name: str) -> tuple[fs.FileSystem, str, bool]:
    """The file system, the folder in it, and whether a file shows there only when it is whole."""
    if url.startswith("s3://"):
        return *_s3(url, name), True
    from fsspec.core import url_to_fs

    try:
        files, base = url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise StoreError(
            f"archive {name!r} has no scheme that this Leeway knows ({error}); use file:///path or s3://bucket/folder"
        ) from None
    return fs.PyFileSystem(fs.FSSpecHandler(files)), base.rstrip("/"), False


def _s3(url: str, name: str) -> tuple[fs.FileSystem, str]:
    parts = urlsplit(url)
    options: dict[str, Any] = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if parts.username and parts.password:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password)}
    if "allow_bucket_creation" in options:
        options["allow_bucket_creation"] = options["allow_bucket_creation"] == "true"
    base = f"{parts.hostname or ''}{parts.path}".rstrip("/")
    limits = {"connect_timeout": 5, "request_timeout": 30, "retry_strategy": fs.AwsStandardS3RetryStrategy(3)}
    try:
        return fs.S3FileSystem(**limits, **options), base
    except (TypeError, ValueError, OSError) as error:
        raise StoreError(f"archive {name!r} cannot be opened: {error}; use s3://bucket/folder?region=..") from None
