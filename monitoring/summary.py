"""The summary of a run: what was sent, recorded, archived and counted, what alarmed, and where everything lies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leeway.record import Verdict

from .reconciliation import Reconciliation
from .verdicts import DETECTED

_COUNTED = ("counted", "duplicate_id", "test", "rows")
_TOLD = ("joined", "duplicate", "corrected", "orphan", "pending")


def summary_of(
    requests: Mapping[str, int],
    feedback_sent: int,
    found: Reconciliation,
    verdicts: Sequence[Verdict],
    row_of: Callable[[str], int | None],
) -> dict[str, Any]:
    """Requests {sent, answered}, predictions, feedback, what got lost, and the alarms with the rows behind them, which
    `row_of` knows from the ids of requests."""
    predictions, feedback = found.counts["predictions"], found.counts["feedback"]
    return {
        "requests": {"sent": requests["sent"], "answered": requests["answered"]},
        "predictions": {
            "recorded": found.recorded["prediction"],
            "archived": found.archived["prediction"],
            **{name: predictions[name] for name in _COUNTED},
        },
        "feedback": {
            "sent": feedback_sent,
            "recorded": found.recorded["feedback"],
            "archived": found.archived["feedback"],
            **{name: feedback[name] for name in _TOLD},
        },
        "dropped": sum(found.counts["dropped"].values()),
        "lost": found.counts["lost"],
        "dead_lettered": found.counts["dead_lettered"],
        "alarms": [_alarm(verdict, row_of) for verdict in verdicts if verdict.status == DETECTED],
    }


def differences(summary: Mapping[str, Any]) -> list[str]:
    """What does not add up, one sentence each; [] where everything does."""
    requests, p, f = summary["requests"], summary["predictions"], summary["feedback"]
    told = sum(f[name] for name in _TOLD)
    checks = [
        ("requests sent", requests["sent"], "answered", requests["answered"]),
        ("requests and feedback answered", requests["answered"] + f["sent"], "recorded or dropped",
         p["recorded"] + f["recorded"] + summary["dropped"]),
        ("predictions recorded", p["recorded"], "archived", p["archived"]),
        ("predictions recorded", p["recorded"], "counted, repeated ids and tests",
         p["counted"] + p["duplicate_id"] + p["test"]),
        ("feedback recorded", f["recorded"], "archived", f["archived"]),
        ("feedback recorded", f["recorded"], "joined, duplicate, corrected, orphan and pending", told),
        ("records lost", summary["lost"], "expected", 0),
        ("records dead-lettered", summary["dead_lettered"], "expected", 0),
    ]  # fmt: skip
    return [f"{what}: {n:,}, but {other}: {m:,}" for what, n, other, m in checks if n != m]


def _alarm(verdict: Verdict, row_of: Callable[[str], int | None]) -> dict[str, Any]:
    return {
        "detector": verdict.detector,
        "kind": verdict.kind,
        "endpoint": verdict.endpoint,
        "rows": [row_of(verdict.first.id), row_of(verdict.last.id)],
        "appended": verdict.appended,
        "statistic": verdict.statistic,
        "threshold": verdict.threshold,
        "features": list(verdict.features),
    }
