"""The rows behind an incident, with their truth where it came: paged, sorted, downloaded."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from leeway.interfaces import Within
from leeway.record import Incident

from .numbers import instant, moment
from .source import Source
from .span import days_of

PER_PAGE = 50
_FIRST = ("id", "row", "appended", "event_time", "output", "truth", "microsec", "error", "arm")
_DAY_S = 86_400
_TRUTH_DAYS = 31


def incident_rows(source: Source, incident: Incident, key: str) -> pa.Table:
    """One row per row of the alarm's verdict, in stream order; `truth` is JSON text, null where none came."""
    rows = source.of_window(incident.opened, ("rows",), lambda: source.rows_of(incident.opened, key))
    if not rows.num_rows:
        return rows
    return rows.append_column("truth", pa.array(_truths(source, rows, key), pa.string()))


def _truths(source: Source, rows: pa.Table, key: str) -> list[str | None]:
    """The first truth of each row; it looks at ever longer stretches of the time after, until every row has one."""
    since, now = rows["appended"][0].as_py(), int(source.clock.now())
    ids = pc.unique(rows["id"])
    about = Within("request_id", pc.min(ids).as_py(), pc.max(ids).as_py())
    places = list(zip(rows["id"].to_pylist(), rows["row"].to_pylist()))
    first: dict[tuple[str, int], str] = {}
    for begin, end in _onwards(since, min(now, since + _TRUTH_DAYS * _DAY_S)):
        place = (Within("appended", begin, end), about)
        columns = ("request_id", "request_row", "truth")
        told = source.archive.read("feedback", key, columns, days_of(begin, end), place)
        if told.num_rows:
            mine = told.filter(pc.is_in(told["request_id"], value_set=ids))
            for request, row, truth in zip(*(mine[name].to_pylist() for name in columns)):
                first.setdefault((request, row), truth)
        if all(place in first for place in places):
            break
    return [first.get(place) for place in places]


def _onwards(first: int, last: int) -> Iterator[tuple[int, int]]:
    """From a moment on in stretches (from, to), both included: an hour, eight, and so on."""
    length = 3_600
    while first <= last:
        until = min(first + length - 1, last)
        yield first, until
        first, length = until + 1, length * 8


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
    if name == "event_time":
        return instant(str(value))
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
