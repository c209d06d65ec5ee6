"""Verdicts: how they get their ids, and how they lie in the archive."""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from leeway.record import Position, RowReference, Verdict

NO_DETECTION, POTENTIAL, DETECTED = 0, 1, 2
CLEARS = "clears"  # in the details of a verdict that ends an incident


def verdict(
    *, endpoint: str, detector: str, status: int, at: Position, last: RowReference, statistic: float, threshold: float,
    feature: str = "", kind: str = "", **fields: Any,
) -> Verdict:  # fmt: skip
    """A verdict with its id, which derives from what it is about and where it was reached. Its kind, a ResultKindApp
    of MLRun's, is its detector's name unless given; what is not finite becomes the largest float, so that it survives
    JSON."""
    named = (endpoint, detector, feature, status, *msgspec.to_builtins(at), last.row, str(last.position))
    if CLEARS in fields.get("details", ()):
        named = (*named, CLEARS)
    return Verdict(
        id=hashlib.blake2b(repr(named).encode(), digest_size=12).hexdigest(), endpoint=endpoint, detector=detector,
        kind=kind or detector, status=status, at=at, last=last, statistic=_finite(statistic),
        threshold=_finite(threshold), feature=feature, **fields,
    )  # fmt: skip


def in_order(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """By the record that completed them; those of one record by endpoint and detector, then as they came."""
    return sorted(verdicts, key=lambda found: (found.at, found.endpoint, found.detector))


def verdict_table(verdicts: Sequence[Verdict]) -> pa.Table:
    """One row per verdict, in order; `row` numbers the verdicts of one record, `verdict` is all of it as JSON."""
    rows: list[int] = []
    for i, found in enumerate(verdicts):
        rows.append(rows[-1] + 1 if i and verdicts[i - 1].at == found.at else 0)
    return pa.table(
        {
            "shard": pa.array([found.at.shard for found in verdicts], pa.int64()),
            "offset": pa.array([found.at.offset for found in verdicts], pa.int64()),
            "index": pa.array([found.at.index for found in verdicts], pa.int64()),
            "row": pa.array(rows, pa.int64()),
            "appended": pa.array([found.appended for found in verdicts], pa.int64()),
            "id": [found.id for found in verdicts],
            "endpoint": [found.endpoint for found in verdicts],
            "detector": [found.detector for found in verdicts],
            "kind": [found.kind for found in verdicts],
            "status": pa.array([found.status for found in verdicts], pa.int64()),
            "feature": [found.feature for found in verdicts],
            "features": pa.array([found.features for found in verdicts], pa.list_(pa.string())),
            "rows": pa.array([found.rows for found in verdicts], pa.int64()),
            "first_id": [found.first.id for found in verdicts],
            "last_id": [found.last.id for found in verdicts],
            "statistic": pa.array([found.statistic for found in verdicts], pa.float64()),
            "threshold": pa.array([found.threshold for found in verdicts], pa.float64()),
            "verdict": [msgspec.json.encode(found).decode() for found in verdicts],
        }
    )


def verdicts_of(table: pa.Table) -> list[Verdict]:
    """The verdicts of such a table."""
    return [msgspec.json.decode(text, type=Verdict) for text in table.column("verdict").to_pylist()]


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else math.copysign(1.7e308, value)
