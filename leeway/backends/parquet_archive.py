"""The archive in a folder."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import pyarrow as pa

from leeway.exclusive import exclusive
from leeway.files import Files, OsFiles
from leeway.interfaces import Within
from leeway.private_folder import private_folder

from .footers import Footers
from .parquet_bytes import broken, decode
from .partitioned_archive import PartitionedArchive


class ParquetArchive(PartitionedArchive):
    """Each file is written under a hidden name, synced and renamed, so a reader sees all of it or nothing."""

    def __init__(self, folder: Path, files: Files | None = None):
        self._folder, self._files = folder.absolute(), files or OsFiles()
        self._footers = Footers()
        super().__init__(str(self._folder), "is its disk writable and not full?")

    def _listed(self, below: str) -> list[tuple[str, int]]:
        found = (self._folder / below).rglob("*.parquet")
        return [(path.relative_to(self._folder).as_posix(), path.stat().st_size) for path in found]

    def _fetched(self, path: str, columns: Sequence[str] | None, where: Sequence[Within] = ()) -> pa.Table:
        try:
            footer = self._footers.of(self._folder / path) if where else None
            return decode(self._folder / path, str(self._folder / path), columns, where, footer)
        except pa.ArrowInvalid as error:
            raise broken(str(self._folder / path), error) from error
        except OSError as error:
            if error.errno is None:  # of the format, none of the disk
                raise broken(str(self._folder / path), error) from error
            raise

    def _put(self, path: str, data: pa.Buffer) -> None:
        target = private_folder((self._folder / path).parent) / path.rpartition("/")[2]
        hidden = target.with_name(f".{uuid4().hex}.tmp")
        fd = self._files.create(hidden)
        try:
            try:
                if self._files.pwrite(fd, data, 0) != len(data):
                    raise OSError(28, "no space left for the whole file")
                self._files.datasync(fd)
            finally:
                self._files.close(fd)
            self._files.rename(hidden, target)
        except OSError:
            self._files.unlink(hidden)
            raise

    def _remove(self, path: str) -> None:
        self._files.unlink(self._folder / path)

    def _alone(self, folder: str) -> AbstractContextManager:
        return exclusive(self._folder / folder)
