"""A week in the archive as the record path leaves it behind: a live endpoint, its shadow, truth, a window a thousand
rows. Real rows, made once by a consumer, and repeated further on in the stream."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from bench_record_path import ENDPOINT, messages, profile

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.interfaces import Archive
from leeway.record import Incident, Position, RowReference, Verdict
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.incidents import CLEARED, OPEN
from monitoring.pages.span import day_of
from monitoring.projection import INCIDENT
from monitoring.verdicts import verdict, verdict_table, verdicts_of

KEY, SHADOW = "bench/model-server/elec", "bench/model-server/elec/default/elec/aaaaaaaaaaaa"
_PREFIX, _PIECE, _WINDOW = "0" * 12 + "-0", 50_000, 1_000


def fill_archive(settings: Settings, rows: int, start: int, end: int) -> int:
    """Fill the archive with `rows` predictions, half of them the shadow's, and truth of the live ones, evenly from
    `start` up to `end` (epoch seconds); and the shared state with two incidents. How many rows of all kinds."""
    archive, (predictions, told, windows) = connect.archive(settings), _made()
    pieces, written = rows // 2 // _PIECE, 0
    for piece in range(pieces):
        clocks = start + (np.arange(_PIECE) + piece * _PIECE) * (end - start) // (pieces * _PIECE)
        for kind, table in _tables(predictions, told, piece, clocks):
            written += _write(archive, kind, piece, table)
    verdicts = [_moved(windows[i % len(windows)], i, pieces, start, end) for i in range(pieces * _PIECE // _WINDOW)]
    for piece, some in enumerate(np.array_split(np.arange(len(verdicts)), pieces)):
        written += _write(archive, "verdict", piece, verdict_table([verdicts[i] for i in some]))
    shared = connect.state(settings, "shared")
    opened, closed = verdicts[len(verdicts) // 2], verdicts[len(verdicts) // 2 + 3]
    incidents = [
        Incident(id="open", endpoint=ENDPOINT, detector="data_drift", kind="data_drift", state=OPEN, opened=opened,
                 features=["feature_0", "feature_1"]),
        Incident(id="cleared", endpoint=ENDPOINT, detector="data_drift", kind="data_drift", state=CLEARED,
                 opened=verdicts[len(verdicts) // 4], features=["feature_0"], closed=closed.at),
    ]  # fmt: skip
    shared.commit({f"{INCIDENT}{each.id}": msgspec.json.encode(each) for each in incidents})
    shared.close()
    return written


def _made() -> tuple[pa.Table, pa.Table, list[Verdict]]:
    """Predictions, feedback and windows, as a consumer archives them."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        stores = connect.state(settings, "bench"), connect.state(settings, "shared"), connect.series(settings)
        stores[1].commit({f"profile/{ENDPOINT}": profile()})
        archive = connect.archive(settings)
        consumer = Consumer("bench", 0, settings, *stores, archive, SystemClock(), lambda incident: None)
        consumer.consume(messages(labelled=True))
        windows = [each for each in verdicts_of(archive.read("verdict")) if each.detector == "data_drift"]
        for store in stores:
            store.close()
        return archive.read("prediction").slice(0, _PIECE), archive.read("feedback").slice(0, _PIECE), windows


def _tables(predictions: pa.Table, told: pa.Table, piece: int, clocks: np.ndarray) -> Iterator[tuple[str, pa.Table]]:
    """The live rows at offsets 0, 3, ..., the shadow's one further, the truth of each, a second later, two."""
    ids = pa.array([f"0192d0a4-{piece:04x}-7000-8000-{i:012d}" for i in range(_PIECE)])
    live = _changed(predictions, offset=_offsets(piece, 0), appended=clocks, id=ids)
    yield "prediction", live
    other = np.asarray(live["output"]) ^ (np.arange(_PIECE) % 50 == 0)
    owner, version = (pa.repeat(text, _PIECE) for text in (SHADOW, "aaaaaaaaaaaa"))
    yield "prediction", _changed(
        live, offset=_offsets(piece, 1), endpoint_id=owner, version=version, shadow_of=pa.repeat("elec", _PIECE),
        output=other,
    )  # fmt: skip
    n = told.num_rows
    feedback_ids = pa.array([f"feedback-{piece}-{i}" for i in range(n)])
    yield "feedback", _changed(
        told, offset=_offsets(piece, 2)[:n], appended=clocks[:n] + 1, id=feedback_ids, request_id=ids[:n],
        request_row=np.zeros(n, int),
    )  # fmt: skip


def _offsets(piece: int, place: int) -> np.ndarray:
    return (np.arange(_PIECE) + piece * _PIECE) * 3 + place


def _changed(table: pa.Table, **columns) -> pa.Table:
    for name, values in columns.items():
        array = pa.array(values) if isinstance(values, np.ndarray) else values
        table = table.set_column(table.column_names.index(name), name, array)
    return table


def _write(archive: Archive, kind: str, piece: int, table: pa.Table) -> int:
    """One file a day; as compaction leaves them."""
    days = np.asarray(table["appended"]) // 86_400
    for day in np.unique(days):
        part = table.filter(pa.array(days == day))
        offsets = part["offset"]
        name = f"{_PREFIX}-{offsets[0].as_py():016d}-to-{offsets[-1].as_py():016d}"
        archive.write(kind, KEY, day_of(int(day) * 86_400), name, part)
    return table.num_rows


def _moved(found: Verdict, number: int, pieces: int, start: int, end: int) -> Verdict:
    """The verdict on the window of that number."""
    first, last = number * _WINDOW, (number + 1) * _WINDOW - 1
    references = [
        RowReference(Position(0, i * 3), f"0192d0a4-{i // _PIECE:04x}-7000-8000-{i % _PIECE:012d}", 0)
        for i in (first, last)
    ]
    fields = {name: getattr(found, name) for name in ("status", "statistic", "threshold", "features", "details")}
    return verdict(
        endpoint=ENDPOINT, detector="data_drift", at=references[1].position, last=references[1], first=references[0],
        appended=int(start + last * (end - start) // (pieces * _PIECE)), rows=_WINDOW, **fields,
    )  # fmt: skip
