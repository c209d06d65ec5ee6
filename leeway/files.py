"""The few file operations that the outbox and the archive use, as a part that is handed in: faults can be injected."""

import fcntl
import os
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """System calls on local files. Each may raise OSError; `pwrite` may write less than it was given."""

    def create(self, path: Path) -> int:
        """A descriptor of a new file, for reading and writing, mode 0600; FileExistsError where one is there."""
        ...

    def open(self, path: Path) -> int:
        """A descriptor of an existing file, for reading and writing."""
        ...

    def lock(self, fd: int) -> bool:
        """Take the file's lock, which the system releases when the last descriptor closes; False: another has it."""
        ...

    def is_at(self, fd: int, path: Path) -> bool:
        """Whether `path` still names the file of this descriptor."""
        ...

    def size(self, fd: int) -> int: ...

    def pread(self, fd: int, count: int, offset: int) -> bytes: ...

    def pwrite(self, fd: int, data: bytes, offset: int) -> int: ...

    def truncate(self, fd: int, size: int) -> None: ...

    def datasync(self, fd: int) -> None: ...

    def close(self, fd: int) -> None: ...

    def rename(self, source: Path, target: Path) -> None: ...

    def unlink(self, path: Path) -> None: ...


class OsFiles:
    """The real ones."""

    pread = staticmethod(os.pread)
    pwrite = staticmethod(os.pwrite)
    truncate = staticmethod(os.ftruncate)
    datasync = staticmethod(getattr(os, "fdatasync", os.fsync))  # macOS has no fdatasync
    close = staticmethod(os.close)
    rename = staticmethod(os.replace)
    unlink = staticmethod(os.unlink)

    def create(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def lock(self, fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_at(self, fd: int, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), path.stat())
        except FileNotFoundError:
            return False

    def size(self, fd: int) -> int:
        return os.fstat(fd).st_size
