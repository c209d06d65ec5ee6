"""One incident: what was measured, against which threshold and at what price, and the rows that say so."""

from collections.abc import Mapping
from dataclasses import dataclass

from leeway.record import Incident

from .decisions import Decided, decisions
from .drawn_features import drawn_features
from .endpoint import drift_charts, marks_of
from .incident_rows import RowsPage, incident_rows
from .page import NotThere, Page
from .source import Source
from .span import Span, day_of
from .standing import CONCEPT

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
    around = span if query.get("range") or query.get("from") else _around(found, int(source.clock.now()))
    rows = incident_rows(source, found, key)
    moved = [] if found.detector == CONCEPT or profile is None else found.features
    closed = source.closed_at(found, key)
    charts = drift_charts(
        source,
        found.endpoint,
        around,
        [(found, closed)],
        marks_of(source, key, around),
        profile.errors if profile else None,
    )
    return Page(
        f"Incident {found.id}",
        "incident.html",
        {
            "incident": found,
            "key": key,
            "closed": closed,
            "price": price_of(found, source.settings.window_alpha),
            "rows": RowsPage.of(rows, query),
            "features": drawn_features(source, profile, found.opened, key, moved) if moved else "",
            "before": _before(source, found, key),
        },
        {name: charts[name] for name in (("errors", "concept") if found.detector == CONCEPT else ("data",))},
        around,
    )


def incident_called(source: Source, name: str) -> Incident:
    """NotThere where no incident has that id."""
    for each in source.incidents():
        if each.id == name:
            return each
    raise NotThere(f"no incident is called {name!r}; the overview and each endpoint list theirs")


def price_of(found: Incident, alpha: float) -> Price:
    """Of a concept incident its ARL0 and the delay of a doubled error level, of a window its alpha and its length."""
    details = found.opened.details
    if found.detector == CONCEPT:
        delay = details.get("delay_doubled")
        return Price(
            f"one false alarm per {details.get('arl0', 0):,} labelled rows",
            f"a doubled error level is seen after {delay:,.0f} labelled rows on average" if delay else "",
        )
    return Price(
        f"at most {alpha:.2%} of windows alarm where nothing moved",
        f"one window: {found.opened.rows:,} rows",
    )


def _around(found: Incident, now: int) -> Span:
    """The hour before it opened and a quarter after it, as far as that has come."""
    at = found.opened.appended
    end = min(at + _BEFORE_S // 4, max(now, at + _LEAST_AFTER_S))
    return Span.of({"from": str(max(0, at - _BEFORE_S)), "to": str(end)}, at)


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
