"""A turn that one process has at a time."""

import fcntl
import os
from pathlib import Path


class Turn:
    """Held by one process at a time, by a lock on `file`; the others wait."""

    def __init__(self, file: Path):
        self._file = file

    def __enter__(self) -> None:
        self._fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
