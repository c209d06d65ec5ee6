"""The footers of the Parquet files of a folder that were read last."""

from collections import OrderedDict
from pathlib import Path

from .row_groups import Footer, footer_of

_MOST = 128


class Footers:
    """Reading one takes longer than skipping a file for what it says. A file that was replaced is another one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, Footer] = OrderedDict()

    def of(self, path: Path) -> Footer:
        """FileNotFoundError where it is not there, pa.ArrowInvalid where it is no whole file."""
        found = path.stat()
        key = (path, found.st_ino, found.st_size, found.st_mtime_ns)
        footer = self._kept.pop(key, None) or footer_of(path)
        self._kept[key] = footer
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return footer
