"""One incident: what was measured, against which threshold and at what price, and the rows that say so."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from leeway.profile import Profile
from leeway.record import Incident

from .chart import Chart
from .decisions import Decided, decisions
from .drawn_features import drawn_features
from .drift_state import CONCEPT
from .endpoint import drift_charts, marks_of
from .incident_rows import RowsPage, incident_rows
from .page import NotThere, Page
from .source import Source
from .span import Span, day_of

_BEFORE_S, _LEAST_AFTER_S = 3_600, 60


@dataclass(frozen=True)
class Price:
    """What an alarm costs and how soon it comes, in words; empty where the verdict does not say."""

    false_alarms: str
    delay: str


def incident(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """The incident that `id` names; its charts show the hour around its opening unless the URL says another time."""
    found = incident_called(source, query.get("id", ""))
    key = source.watched()[found.endpoint].key
    profile = source.profile(found.endpoint)
    is_timed = bool(query.get("range") or query.get("from") or query.get("to"))
    around = span if is_timed else _around(found, source.first_second(found.endpoint), int(source.clock.now()))
    rows, closed = incident_rows(source, found, key), source.closed_at(found, key)

    def charts() -> dict[str, Chart]:
        marks, level = marks_of(source, key, around), profile.errors if profile else None
        made = drift_charts(source, found.endpoint, around, [(found, closed)], marks, level)
        return {name: made[name] for name in _charts_of(found)}

    return Page(
        f"Incident {found.id}",
        "incident.html",
        {
            "incident": found,
            "key": key,
            "closed": closed,
            "is_concept": found.kind == CONCEPT,
            "charts": _charts_of(found),
            "price": price_of(found, source.settings.window_alpha),
            "rows": RowsPage.of(rows, query),
            "time": around.query if is_timed else {},
            "features": _features(source, found, profile, key) if profile else "",
            "before": _before(source, found, key),
        },
        charts,
        around,
    )


def _charts_of(found: Incident) -> tuple[str, ...]:
    """The names of its charts: only the default detectors' statistics are series."""
    if found.kind != CONCEPT:
        return ("data",)
    return ("errors", "concept") if found.detector == CONCEPT else ("errors",)


def _features(source: Source, found: Incident, profile: Profile, key: str) -> Markup | str:
    """What moved beside its reference: in the window that alarmed; for errors, in the last window up to the alarm."""
    if found.kind != CONCEPT:
        return drawn_features(source, profile, found.opened, key, found.features) if found.features else ""
    moved = found.opened.details.get("moved", [])
    window = source.last_window(found.endpoint, key, found.opened.appended) if moved else None
    return drawn_features(source, profile, window, key, moved) if window else ""


def incident_called(source: Source, name: str) -> Incident:
    """NotThere where no incident has that id."""
    for each in source.incidents():
        if each.id == name:
            return each
    raise NotThere(f"no incident is called {name!r}; the overview and each endpoint list theirs")


def price_of(found: Incident, alpha: float) -> Price:
    """Of a concept incident its ARL0 and the delay of a doubled error level, of a window its alpha and its length."""
    details = found.opened.details
    if found.kind != CONCEPT:
        return Price(
            f"at most {alpha:.2%} of windows alarm where nothing moved",
            f"one window: {found.opened.rows:,} rows",
        )
    if "arl0" not in details:
        return Price("none that is known: the detector is one of the literature, its limits are not priced", "")
    delay, rows = details.get("delay_doubled"), "labelled rows of the slice" if found.feature else "labelled rows"
    return Price(
        f"one false alarm per {details['arl0']:,} {rows}",
        f"a doubled error level is seen after {delay:,.0f} {rows} on average" if delay else "",
    )


def _around(found: Incident, first: int | None, now: int) -> Span:
    """The hour before it opened, as far as the endpoint answered, and a quarter after it, as far as that has come."""
    at = found.opened.appended
    begin, end = at - _BEFORE_S, min(at + _BEFORE_S // 4, max(now, at + _LEAST_AFTER_S))
    if first is not None and first <= at:
        begin = max(begin, first - _LEAST_AFTER_S // 2)
    return Span.of({"from": str(max(0, begin)), "to": str(end)}, at)


def _before(source: Source, found: Incident, key: str) -> list[Decided]:
    """What happened to the deployment in the hour before."""
    at = found.opened.appended
    since = at - _BEFORE_S
    days = sorted({day_of(max(since, 0)), day_of(at)})
    events = [each for each in decisions(source, key, days) if since <= each.appended <= at]
    for other, about in source.watched().items():
        first = source.first_second(other)
        if about.key == key and first is not None and since <= first <= at:
            events.append(Decided(first, f"version {other.rpartition('/')[2]} answered for the first time"))
    for other in source.incidents():
        if (
            other.id != found.id
            and source.watched()[other.endpoint].key == key
            and since <= other.opened.appended <= at
        ):
            events.append(
                Decided(other.opened.appended, f"{other.detector.replace('_', ' ')} alarm on {other.endpoint}")
            )
    return sorted(events, key=lambda each: each.appended)
