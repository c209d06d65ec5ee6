"""Truth that came when its prediction was no longer remembered, joined from the archive. It reaches reports; the
sequential detectors never see it, as they see pairs in the order of the stream.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import numpy as np
import pyarrow as pa

from leeway.interfaces import Archive

from .outcomes import COUNTED, JOINED, PENDING

KIND, NAME = "late_truth", "late-truth"
_TOLD = ("shard", "offset", "index", "row", "appended", "request_id", "request_row", "truth", "status")
_SAID = ("shard", "offset", "index", "row", "appended", "id", "endpoint_id", "output", "status")

Row = tuple[str, int]


def late_truth(archive: Archive, key: str) -> pa.Table:
    """One row per prediction row of a stream key whose truth came too late: its position, `appended`, id, endpoint_id
    and output, `truth` (JSON) and `told`, when that came (epoch seconds). The first truth of a row counts. The same
    table is written anew, by day of the prediction, under the kind late_truth.
    """
    truths = _late(archive.read("feedback", key, _TOLD).to_pylist())
    found = [
        _row(said, truths[said["id"], said["row"]])
        for said in archive.read("prediction", key, _SAID).to_pylist()
        if said["status"] == COUNTED and _is_late(said, truths.get((said["id"], said["row"])))
    ]
    by_day: dict[str, list[dict]] = {}
    for row in found:
        by_day.setdefault(datetime.fromtimestamp(row["appended"], UTC).strftime("%Y-%m-%d"), []).append(row)
    for day, rows in by_day.items():
        archive.write(KIND, key, day, NAME, pa.Table.from_pylist(rows))
    return pa.Table.from_pylist(found) if found else pa.table({name: [] for name in ("id", "output", "truth")})


def errors_of(table: pa.Table, error_of: Callable) -> np.ndarray:
    """Whether each row of such a table was an error, by a function of (outputs, truths); int8, shape (n,)."""
    truths = [msgspec.json.decode(text) for text in table["truth"].to_pylist()]
    return error_of(table["output"].to_pylist(), truths)


def _late(told: list[dict]) -> dict[Row, dict]:
    """By request id and row, the first truth that waited in vain, where none was joined in time."""
    joined = {(each["request_id"], each["request_row"]) for each in told if each["status"] == JOINED}
    first: dict[Row, dict] = {}
    for each in told:
        row = each["request_id"], each["request_row"]
        if each["status"] == PENDING and row not in joined:
            first.setdefault(row, each)
    return first


def _is_late(said: dict, told: dict | None) -> bool:
    """Whether the prediction came first: truth that came before it was joined by the stream's consumer."""
    return told is not None and (said["offset"], said["index"]) < (told["offset"], told["index"])


def _row(said: dict, told: dict) -> dict:
    kept = {name: said[name] for name in _SAID if name != "status"}
    return {**kept, "truth": told["truth"], "told": told["appended"]}
