"""The rows behind an incident, with their truth where it came: paged, sorted, downloaded."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from leeway.record import Incident

from .numbers import moment
from .source import Source
from .span import day_of

PER_PAGE = 50
_FIRST = ("id", "row", "appended", "event_time", "output", "truth", "status", "microsec", "error", "arm")
_DAY_S = 86_400
_TRUTH_DAYS = 31


def incident_rows(source: Source, incident: Incident, key: str) -> pa.Table:
    """One row per row of the alarm's verdict, in stream order; `truth` is JSON text, null where none came."""
    rows = source.rows_of(incident.opened, key)
    if not rows.num_rows:
        return rows
    since, now = rows["appended"][0].as_py(), int(source.clock.now())
    days = [day_of(second) for second in range(since, min(now, since + _TRUTH_DAYS * _DAY_S) + _DAY_S, _DAY_S)]
    told = source.archive.read("feedback", key, ("request_id", "request_row", "truth", "status"), days)
    return rows.append_column("truth", pa.array(_truths(rows, told), pa.string()))


def _truths(rows: pa.Table, told: pa.Table) -> list[str | None]:
    """The first truth of each row."""
    if not told.num_rows:
        return [None] * rows.num_rows
    mine = told.filter(pc.is_in(told["request_id"], value_set=pc.unique(rows["id"])))
    first: dict[tuple[str, int], str] = {}
    for request, row, truth in zip(*(mine[name].to_pylist() for name in ("request_id", "request_row", "truth"))):
        first.setdefault((request, row), truth)
    return [first.get(place) for place in zip(rows["id"].to_pylist(), rows["row"].to_pylist())]


@dataclass(frozen=True)
class RowsPage:
    """One page of rows: `names` are the columns that are shown, `cells` their texts, row by row."""

    total: int
    page: int
    pages: int
    sort: str
    descending: bool
    names: list[str]
    cells: list[list[str]]

    @classmethod
    def of(cls, table: pa.Table, query: Mapping[str, str]) -> "RowsPage":
        """As `page`, `sort` and `order` of a URL say; what they cannot mean is left out."""
        names = _shown(table)
        sort, descending = query.get("sort", ""), query.get("order") == "desc"
        if sort in names:
            order = pc.sort_indices(table, sort_keys=[(sort, "descending" if descending else "ascending")])
            table = table.take(order)
        else:
            sort = ""
        pages = max(1, -(-table.num_rows // PER_PAGE))
        page = min(max(_whole(query.get("page", "")), 1), pages)
        part = table.slice((page - 1) * PER_PAGE, PER_PAGE)
        columns = [part[name].to_pylist() for name in names]
        cells = [[_cell(name, value) for name, value in zip(names, row)] for row in zip(*columns)]
        return cls(table.num_rows, page, pages, sort, descending, names, cells)


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def as_csv(table: pa.Table) -> bytes:
    """With a header; lists as JSON text. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    sink = io.BytesIO()
    columns = {name: pa.array([_plain(value) for value in table[name].to_pylist()]) for name in table.column_names}
    pyarrow.csv.write_csv(pa.table({_plain(name): column for name, column in columns.items()}), sink)
    return sink.getvalue()


def _shown(table: pa.Table) -> list[str]:
    """The columns that say something: of the record's own those that are not all empty, then the features."""
    own = [name for name in _FIRST if name in table.column_names and table[name].null_count < table.num_rows]
    return own + [name for name in table.column_names if name.startswith("x_")]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return json.dumps(value) if isinstance(value, list | dict) else value


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "appended":
        return moment(value)
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
