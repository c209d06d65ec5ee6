"""What happened to an endpoint, in sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from leeway.record import Verdict

from .error_watch import STRETCH_ROWS
from .history import SLICE, History
from .verdicts import DETECTED

_NAMED, _MORE_OFTEN = 4, 10
_WORTH_TELLING = 0.1  # of the longest incident: shorter ones before it are told as passed
_CAUSES = {
    "location": "values moved as a whole",
    "shape": "the distribution changed (effect {effect:.2f}, {gate:.2f} matters)",
    "missing": "{missing_rate:.1%} of values were missing",
    "out_of_range": "{out_of_range:.1%} of values lay beyond the training range",
    "unseen": "{unseen:.1%} of values were never seen in training",
    "type_change": "{type_change:.1%} of values had another type",
    "constant": "all values were the same",
    "correlation": "the correlation with {partner} went from {correlation_before:.2f} to {correlation:.2f}",
}


def story_of(history: History) -> str:
    """One paragraph."""
    return " ".join(_sentences(history))


def _sentences(history: History) -> Iterator[str]:
    if not len(history.times):
        yield "No row was answered yet."
        return
    yield f"{len(history.times):,} rows came from {_day(history.times[0])} to {_day(history.times[-1])}."
    if history.level is not None:
        level = history.level
        yield f"On {level.rows:,} rows that it was not fitted on, the model had erred {level.level:.1%} of the time."
    yield from _deployed(history)
    yield from _concept(history)
    yield from _slices(history)
    yield from _performance(history)
    yield from _data(history)


def _concept(history: History) -> Iterator[str]:
    if not history.stretches:
        yield "Too few labels came to say how often it errs."
        return
    if not history.concept_alarms:
        yield "Its errors stayed where that makes them likely: no concept drift was found."
        return
    incidents = history.concept_incidents
    longest = max(_length(history, *incident) for incident in incidents)
    main = next(incident for incident in incidents if _length(history, *incident) >= _WORTH_TELLING * longest)
    yield from _passed(history, incidents[: incidents.index(main)])
    alarm, cleared = main
    which = "its first alarm" if main is incidents[0] else "the alarm that stayed"
    yield (
        f"On {_day(history.time_of(alarm.last))}, at row {history.number_of(alarm.last):,}, the concept detector "
        f"raised {which}: of the {alarm.rows:,} labelled rows up to it {_error_rate(alarm):.1%} were wrong."
    )
    yield from _drift_of(history, alarm)
    if cleared is None:
        yield "The errors have not come down since."
    else:
        more = len(incidents) - incidents.index(main) - 1
        followed = "" if not more else f"; {f'{more} more incidents' if more > 1 else 'one more incident'} followed"
        yield f"By {_day(history.time_of(cleared.last))} the errors were back where they had been{followed}."
    worst = max(history.stretches, key=_error_rate)
    yield f"At its worst, around {_day(history.middle_of(worst))}, the model erred in {_error_rate(worst):.1%} of rows."
    yield from _sure(history, incidents)
    yield from _sooner(history, alarm)


def _sure(history: History, incidents: Sequence[tuple[Verdict, Verdict | None]]) -> Iterator[str]:
    """How often such an alarm is a false one, and how much of the time there was one."""
    arl0 = incidents[0][0].details.get("arl0")
    if arl0 is None:
        return
    rows = sum(stretch.rows for stretch in history.stretches)
    lain = sum(_length(history, *incident) for incident in incidents)
    many = "was one incident" if len(incidents) == 1 else f"were {len(incidents)} incidents"
    yield (
        f"Where nothing changes, one such alarm comes in {arl0:,} labelled rows, which makes {rows / arl0:.1f} in "
        f"these {rows:,}; there {many}, in which {lain / len(history.times):.0%} of all rows lay."
    )


def _length(history: History, alarm: Verdict, cleared: Verdict | None) -> int:
    end = len(history.times) if cleared is None else history.number_of(cleared.last)
    return end - history.number_of(alarm.last)


def _passed(history: History, incidents: Sequence[tuple[Verdict, Verdict]]) -> Iterator[str]:
    """Incidents that cleared before the one that matters."""
    if not incidents:
        return
    first, longest = incidents[0][0], max(cleared.rows for _, cleared in incidents)
    many = "An alarm" if len(incidents) == 1 else f"{len(incidents)} alarms, the first"
    yield (
        f"{many} at row {history.number_of(first.last):,}, passed within {longest:,} labelled rows, as false ones or "
        "short troubles do."
    )


def _drift_of(history: History, alarm: Verdict) -> Iterator[str]:
    """Whether the rows behind a concept alarm moved, or what they mean, by the windows that hold them."""
    begin, end = alarm.first.position, alarm.last.position
    windows = [v for v in history.windows if v.first.position <= end and v.last.position >= begin]
    moved = list(dict.fromkeys(name for verdict in windows for name in verdict.features))
    if moved:
        shown = [*moved[:_NAMED], *(["others"] if len(moved) > _NAMED else [])]
        yield f"Those rows had moved as well, in {_listed(shown)}."
    elif windows and windows[-1].last.position >= end:
        yield "Those rows looked like the training rows: it is what they mean that changed, not they."
    expected = alarm.details.get("expected_error_rate")
    if expected is not None:
        yield (
            f"By those rows alone one would expect {expected:.1%} of errors; what lies above that comes from a change "
            "in what rows mean, which only labels show."
        )


def _sooner(history: History, alarm: Verdict) -> Iterator[str]:
    """How sure the alarm is, and what a tenfold price would have cost and brought."""
    arl0, lower = alarm.details.get("arl0"), alarm.details.get("threshold_tenfold")
    if arl0 is None or lower is None:
        return
    begin, at = history.number_of(alarm.first), history.number_of(alarm.last)
    before = [v for v in history.stretches if history.number_of(v.last) < at]
    above = [v for v in before if v.statistic >= lower]
    sooner = [v for v in above if history.number_of(v.last) >= begin]
    early = len(above) - len(sooner)
    came = f"by row {history.number_of(sooner[0].last):,}" if sooner else f"less than {STRETCH_ROWS:,} rows sooner"
    cost = "no alarm" if not early else f"alarms in {early} of the {len(before):,} stretches of {STRETCH_ROWS:,} rows"
    yield (
        f"Ten times as sensitive (one false alarm in {arl0 // _MORE_OFTEN:,}) it would have come {came}, and have "
        f"raised {cost} before that rise."
    )


def _slices(history: History) -> Iterator[str]:
    """Which slices' errors rose, and which first."""
    alarms = history.slice_alarms
    if not alarms:
        if any(verdict.detector == SLICE for verdict in history.verdicts):
            yield "In none of the slices did its errors rise."
        else:
            yield "No slices are watched: the setting `slices` names them."
        return
    parts = [f"{v.feature} (row {history.number_of(v.last):,}, {_error_rate(v):.1%} wrong)" for v in alarms[:_NAMED]]
    more = f" and {len(alarms) - _NAMED} more" if len(alarms) > _NAMED else ""
    yield f"By slices its errors rose first in {', then '.join(parts)}{more}."


def _performance(history: History) -> Iterator[str]:
    if not history.performance:
        return
    worst = max(history.performance, key=lambda verdict: verdict.statistic)
    found = worst.details["estimates"]["error_rate"]
    yield (
        f"By the rows alone, without labels, one would have expected at most {found['value']:.1%} of errors "
        f"({found['low']:.1%} to {found['high']:.1%}), around {_day(history.middle_of(worst))}: that estimate is blind "
        "to concept drift."
    )


def _data(history: History) -> Iterator[str]:
    alarms = [verdict for verdict in history.windows if verdict.status == DETECTED]
    if not alarms:
        yield f"None of {len(history.windows)} windows differed from the training rows by more than matters."
    else:
        yield (
            f"{len(alarms)} of {len(history.windows)} windows of {alarms[0].rows:,} rows differed from the training "
            "rows by more than matters."
        )
        groups = _first_moves(alarms)
        parts = [f"{_listed(names)} from {_day(history.time_of(verdict.first))}" for verdict, names in groups]
        yield f"First to move: {'; then '.join(parts)}."
        yield from _strongest(alarms[0])
    yield from _more_windows(history, alarms)


def _strongest(alarm: Verdict) -> Iterator[str]:
    """How the first alarm's strongest feature moved, and how sure that is."""
    name = alarm.features[0]
    found = alarm.details.get(name)
    if found is None:
        return
    causes = [_CAUSES[cause].format(**found) for cause in found["causes"][:2] if cause in _CAUSES]
    chance = f"less than once in {float(f'{10 ** min(alarm.statistic, 6):.2g}'):,.0f} windows"
    if causes:
        yield f"In {_listed([name])} {' and '.join(causes)}{_middles(found)}; by chance that happens {chance}."


def _middles(found: dict[str, Any]) -> str:
    """By how much the middle moved, where there is one."""
    medians = [found.get(side, {}).get("median") for side in ("before", "now")]
    return "" if None in medians else f", the median from {medians[0]:.3g} to {medians[1]:.3g}"


def _more_windows(history: History, alarms: Sequence[Verdict]) -> Iterator[str]:
    """What a tenfold price would have cost and brought."""
    if not history.windows:
        return
    threshold = history.windows[0].threshold
    more = sum(verdict.statistic >= threshold - 1 for verdict in history.windows) - len(alarms)
    often = f"one false alarm in {10**threshold:,.0f} windows"
    yield f"The price of this is {often}; ten times as sensitive, {more or 'none'} more would have alarmed."


def _deployed(history: History) -> Iterator[str]:
    """What began to answer before the first alarm."""
    if history.previous:
        version, before = history.endpoint.rpartition("/")[2], history.previous.rpartition("/")[2]
        rows = f", {history.number_of(history.alarms[0].first):,} rows before the first alarm" if history.alarms else ""
        yield f"Version {version} took over from {before} on {_day(history.times[0])}{rows}."


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
