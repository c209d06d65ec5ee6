"""The archive on any file system that pyarrow (s3) or fsspec (the others) knows."""

from collections.abc import Sequence
from uuid import uuid4

import pyarrow as pa
from pyarrow import fs

from leeway.interfaces import Within

from .file_system import file_system
from .parquet_bytes import decode
from .partitioned_archive import PartitionedArchive
from .redacted import redacted


class RemoteArchive(PartitionedArchive):
    """On S3 an object shows when it is whole; elsewhere a file is written under a hidden name, and moved. No lock holds
    others back from replacing files: let one process do that at a time.

    s3://key:secret@bucket/folder?region=..&endpoint_override=host:port&scheme=http&allow_bucket_creation=true: what is
    left out comes from where AWS's tools take it. Other schemes, gs:// say, need the package that fsspec names.
    """

    def __init__(self, url: str):
        super().__init__(redacted(url), "is it there, and may it be read and written?")
        self._files, self._base, self._is_whole = file_system(url, f"archive {self._name!r}")
        self._has_bucket = "allow_bucket_creation=true" not in url

    def _listed(self, below: str) -> list[tuple[str, int]]:
        selector = fs.FileSelector(f"{self._base}/{below}".rstrip("/"), allow_not_found=True, recursive=True)
        infos = self._files.get_file_info(selector)
        start = len(self._base.strip("/")) + 1
        return [(info.path.strip("/")[start:], info.size) for info in infos if info.type == fs.FileType.File]

    def _fetched(self, path: str, columns: Sequence[str] | None, where: Sequence[Within] = ()) -> pa.Table:
        with self._files.open_input_file(f"{self._base}/{path}") as source:
            return decode(source, f"{path} of {self._name}", columns, where)

    def _put(self, path: str, data: pa.Buffer) -> None:
        self._make_bucket()
        target = f"{self._base}/{path}"
        folder = target.rpartition("/")[0]
        if not self._is_whole:
            self._files.create_dir(folder)
        written = target if self._is_whole else f"{folder}/.{uuid4().hex}.tmp"
        with self._files.open_output_stream(written) as out:
            out.write(data)
        if not self._is_whole:
            self._files.move(written, target)

    def _remove(self, path: str) -> None:
        self._files.delete_file(f"{self._base}/{path}")

    def _make_bucket(self) -> None:
        """Once, where the URL says so."""
        bucket = self._base.split("/")[0]
        if not self._has_bucket and self._is_whole:
            if self._files.get_file_info(bucket).type == fs.FileType.NotFound:
                self._files.create_dir(bucket)
            self._has_bucket = True
