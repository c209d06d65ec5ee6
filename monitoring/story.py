"""What happened to an endpoint, in sentences."""

from collections.abc import Iterator, Sequence

import numpy as np

from leeway.record import Verdict

from .history import History
from .verdicts import DETECTED


def story_of(history: History) -> str:
    """One paragraph."""
    return " ".join(_sentences(history))


def _sentences(history: History) -> Iterator[str]:
    if not len(history.times):
        yield "No row was answered yet."
        return
    yield f"{len(history.times):,} rows came from {_day(history.times[0])} to {_day(history.times[-1])}."
    if history.level is not None:
        yield f"On rows that it was not fitted on, the model had erred {history.level.level:.1%} of the time."
    yield from _concept(history)
    yield from _data(history)


def _concept(history: History) -> Iterator[str]:
    if not history.stretches:
        yield "Too few labels came to say how often it errs."
        return
    if not history.concept_alarms:
        yield "Its errors stayed where that makes them likely: no concept drift was found."
        return
    first = history.concept_alarms[0]
    yield (
        f"On {_day(history.time_of(first.last))}, at row {history.number_of(first.last):,}, the concept detector "
        f"raised its first alarm: of the {first.rows:,} labelled rows behind it {_error_rate(first):.1%} were wrong."
    )
    worst = max(history.stretches, key=_error_rate)
    yield f"At its worst, around {_day(history.middle_of(worst))}, it erred in {_error_rate(worst):.1%} of rows."


def _data(history: History) -> Iterator[str]:
    alarms = [verdict for verdict in history.windows if verdict.status == DETECTED]
    if not alarms:
        yield f"None of {len(history.windows)} windows differed from the training rows by more than matters."
        return
    yield (
        f"{len(alarms)} of {len(history.windows)} windows of {alarms[0].rows:,} rows differed from the training rows "
        "by more than matters."
    )
    groups = _first_moves(alarms)
    parts = [f"{_listed(names)} from {_day(history.time_of(verdict.first))}" for verdict, names in groups]
    yield f"First to move: {'; then '.join(parts)}."


def _error_rate(verdict: Verdict) -> float:
    return verdict.details["error_rate"]


def _first_moves(alarms: Sequence[Verdict]) -> list[tuple[Verdict, list[str]]]:
    """The alarms in which features moved for the first time, with their names."""
    seen: set[str] = set()
    groups = []
    for verdict in alarms:
        new = [name for name in verdict.features if name not in seen]
        seen.update(new)
        if new:
            groups.append((verdict, new))
    return groups


def _listed(names: Sequence[str]) -> str:
    shown = ["the predictions" if name == "prediction" else name for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _day(time: np.datetime64) -> str:
    return time.astype("datetime64[D]").item().strftime("%-d %B %Y")
