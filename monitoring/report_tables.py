"""The numbers of a report page, as the texts of its tiles and tables."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from leeway.interfaces import Point
from leeway.record import Verdict

from .history import History
from .latency import quantile_us

Line = dict[str, str]


class Late(NamedTuple):
    """Rows whose truth came too late for the detectors, and how many of their answers were wrong."""

    rows: int
    errors: int


def tiles(history: History, summary: Mapping[str, Any], latencies: Sequence[Point]) -> list[Line]:
    """The few numbers at the top; `mood` is alarm, good or empty."""
    p50, p99 = (quantile_us(_merged(latencies), q) / 1000 for q in (0.5, 0.99))
    windows, concept = history.windows, history.concept_alarms
    moved = sum(bool(verdict.features) for verdict in windows)
    gone = summary["dropped"] + summary["lost"] + summary["dead_lettered"]
    return [
        _tile("requests answered", f"{summary['requests']['answered']:,}"),
        _tile("latency, p50 and p99", f"{p50:.1f} / {p99:.1f} ms"),
        _tile("concept alarms", f"{len(concept)}", "alarm" if concept else "good"),
        _tile("windows that moved", f"{moved} of {len(windows)}", "alarm" if moved else "good"),
        _tile("dropped, lost, dead-lettered", f"{gone}", "alarm" if gone else "good"),
    ]


def alarm_lines(history: History) -> list[Line]:
    """The alarms, in the order of the stream."""
    return [_alarm_line(history, verdict) for verdict in history.alarms]


def count_lines(summary: Mapping[str, Any]) -> list[Line]:
    """Predictions and feedback: who saw how many."""
    r, p, f = summary["requests"], summary["predictions"], summary["feedback"]
    predictions = f"{p['counted']:,} counted, {p['duplicate_id']:,} with an id seen before, {p['test']:,} tests"
    feedback = (
        f"{f['joined']:,} joined, {f['duplicate']:,} told twice, {f['corrected']:,} corrected, "
        f"{f['orphan']:,} orphans, {f['pending']:,} pending"
    )
    return [
        _count_line("predictions", r["sent"], r["answered"], p, predictions),
        _count_line("feedback", f["sent"], f["sent"], f, feedback),
    ]


def losses(summary: Mapping[str, Any]) -> str:
    return f"{summary['dropped']:,} dropped, {summary['lost']:,} lost, {summary['dead_lettered']:,} dead-lettered"


def late_line(late: Late) -> str:
    """What truth said that came too late; "" where none did."""
    if not late.rows:
        return ""
    share = f"{late.errors:,} of these answers were wrong ({late.errors / late.rows:.1%})"
    return f"Truth of {late.rows:,} rows came too late for the detectors: {share}."


def moved_lines(history: History, shown: Sequence[tuple[str, Verdict]]) -> list[Line]:
    """Features in the windows where they were farthest: why they alarmed, reference and window, and the rows that
    contribute most."""
    return [_moved_line(history, name, verdict) for name, verdict in shown if name in verdict.details]


def _moved_line(history: History, name: str, verdict: Verdict) -> Line:
    found, first = verdict.details[name], history.number_of(verdict.first)
    return {
        "feature": name,
        "causes": ", ".join(cause.replace("_", " ") for cause in found["causes"]),
        "before": _quantities(found.get("before", {})),
        "now": _quantities(found.get("now", {})),
        "rows": ", ".join(f"{first + row:,}" for row in found.get("rows", [])),
    }


def _quantities(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in found.items())


def _tile(name: str, value: str, mood: str = "") -> Line:
    return {"name": name, "value": value, "mood": mood}


def _alarm_line(history: History, verdict: Verdict) -> Line:
    return {
        "detector": verdict.detector.replace("_", " "),
        "rows": f"{history.number_of(verdict.first):,} to {history.number_of(verdict.last):,}",
        "begin": str(history.time_of(verdict.first).astype("datetime64[D]")),
        "end": str(history.time_of(verdict.last).astype("datetime64[D]")),
        "statistic": f"{verdict.statistic:.3g}",
        "threshold": f"{verdict.threshold:.3g}",
        "features": ", ".join(verdict.features) or verdict.feature,
    }


def _count_line(name: str, sent: int, answered: int, counted: Mapping[str, int], parts: str) -> Line:
    numbers = {"sent": sent, "answered": answered, "recorded": counted["recorded"], "archived": counted["archived"]}
    return {"name": name, "parts": parts, **{key: f"{n:,}" for key, n in numbers.items()}}


def _merged(points: Sequence[Point]) -> dict[int, int]:
    merged: dict[int, int] = {}
    for point in points:
        for number, count in point.histogram.items():
            merged[number] = merged.get(number, 0) + count
    return merged
