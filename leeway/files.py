"""The few file operations that the outbox and the archive use, as a part that is handed in: faults can be injected."""

import fcntl
import os
from errno import ENOSPC, ENOTSUP
from mmap import mmap
from pathlib import Path
from typing import Protocol

_MARGIN = 64 << 20  # bytes of a disk that are left before it counts as nearly full


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

    def map(self, fd: int, size: int) -> mmap:
        """The first `size` bytes of a file as memory, which got their room on the disk: writing there cannot fail.
        OSError where that cannot be promised. The file's lock is held until the mapping is closed, too."""
        ...

    def is_nearly_full(self, fd: int) -> bool:
        """Whether the disk is: then even room that a file has may be wanting, where the disk copies on writing."""
        ...

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

    def map(self, fd: int, size: int) -> mmap:
        if not hasattr(os, "posix_fallocate"):
            raise OSError(ENOTSUP, "this system reserves no room for a file")
        if self.is_nearly_full(fd):
            raise OSError(ENOSPC, "the disk is nearly full")
        os.posix_fallocate(fd, 0, size)
        return mmap(fd, size)

    def is_nearly_full(self, fd: int) -> bool:
        disk = os.fstatvfs(fd)
        return disk.f_bavail * disk.f_frsize < _MARGIN

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
