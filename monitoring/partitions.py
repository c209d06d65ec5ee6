"""Where the rows of a range lie in the archive: by kind, stream key and day of append."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zlib import crc32

import numpy as np
import pyarrow as pa

_DAY_S = 86_400
_LAST_DAY = date.max.toordinal() - date(1970, 1, 1).toordinal()  # of a clock that is out of its mind


@dataclass(frozen=True)
class Partition:
    """Rows of one kind, stream key and day (YYYY-MM-DD); `part` tells files of one range and day apart."""

    kind: str
    key: str
    day: str
    part: str
    table: pa.Table


class Partitions:
    """Collects tables of one range."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str, int, str], list[pa.Table]] = {}

    def add(self, kind: str, key: str, table: pa.Table, clocks: Sequence[int] | np.ndarray, endpoint: str = "") -> None:
        """Add a table whose rows were appended at `clocks`, which never run back; shape (rows,)."""
        days = np.minimum(np.asarray(clocks) // _DAY_S, _LAST_DAY)
        part = f"{crc32(endpoint.encode()):08x}" if endpoint else ""
        found, starts = np.unique(days, return_index=True)
        ends = [*starts[1:].tolist(), len(days)]
        for day, start, end in zip(found.tolist(), starts.tolist(), ends):
            rows = table if end - start == len(days) else table.slice(start, end - start)
            self._tables.setdefault((kind, key, day, part), []).append(rows)

    def all(self) -> list[Partition]:
        """One table per kind, stream key, day and endpoint; more where their columns do not agree in type."""
        return [
            Partition(kind, key, _name(day), "-".join(filter(None, (part, str(i) if i else ""))), table)
            for (kind, key, day, part), tables in self._tables.items()
            for i, table in enumerate(_joined(tables))
        ]


def _joined(tables: list[pa.Table]) -> list[pa.Table]:
    """The tables in one, unless a column is text in one and a number in the next."""
    if len(tables) == 1:
        return tables
    try:
        return [pa.concat_tables(tables, promote_options="permissive")]
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return tables


def _name(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_S, UTC).strftime("%Y-%m-%d")
