"""`leeway incidents`"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from leeway.record import Incident
from leeway.settings import Settings

from .options import json_option, show

if TYPE_CHECKING:
    from monitoring.queries import Queries

_note_option = click.option("--note", default="", help="Why.")


@click.group("incidents", short_help="Show what alarmed; confirm or dismiss it.")
def command() -> None:
    """What alarmed, and what people decided about it."""


@command.command("list")
@click.option("--all", "closed", is_flag=True, help="Those too that are not open any more.")
@json_option
def list_incidents(closed: bool, as_json: bool) -> None:
    """List the open incidents.

    \b
    Examples:
      leeway incidents list
      leeway incidents list --all --json
    """
    with _queries() as queries:
        found = [_about(each) for each in queries.incidents() if closed or each.state == "open"]
    show(found, as_json, lambda: [_line(each) for each in found] or ["no incident is open"])


@command.command("show")
@click.argument("id")
@json_option
def show_incident(id: str, as_json: bool) -> None:
    """Show the incident ID (or what its id begins with).

    \b
    Examples:
      leeway incidents show 3f2a9c
    """
    import msgspec

    from monitoring.decide import incident_of

    with _queries() as queries:
        incident = incident_of(queries, id)
    show(msgspec.to_builtins(incident), as_json, lambda: _lines(incident))


@command.command("confirm")
@click.argument("id")
@_note_option
@json_option
def confirm(id: str, note: str, as_json: bool) -> None:
    """Confirm the incident ID: the world is like that now, so the new level becomes the reference.

    \b
    Examples:
      leeway incidents confirm 3f2a9c --note "the tariff changed"
    """
    _decide("confirm", id, note, as_json)


@command.command("dismiss")
@click.argument("id")
@_note_option
@json_option
def dismiss(id: str, note: str, as_json: bool) -> None:
    """Dismiss the incident ID: it was nothing, so its rows join the reference.

    \b
    Examples:
      leeway incidents dismiss 3f2a9c --note "a holiday"
    """
    _decide("dismiss", id, note, as_json)


def _decide(do: str, id: str, note: str, as_json: bool) -> None:
    from monitoring.decide import decide

    made = decide(Settings.read(), id, do, note)
    found = {"incident": made.incident, "decision": do, "stream": made.stream, "sent": made.sent}
    where = f"is in stream {made.stream}" if made.sent else f"waits for stream {made.stream}, which takes nothing now"
    show(found, as_json, lambda: [f"{do} of incident {made.incident} {where}"])


def _queries() -> "Queries":
    from monitoring.queries import Queries

    return Queries(Settings.read())


def _about(incident: Incident) -> dict[str, Any]:
    opened = datetime.fromtimestamp(incident.opened.appended, UTC).isoformat()
    names = ("id", "endpoint", "detector", "kind", "state", "features", "note")
    return {**{name: getattr(incident, name) for name in names}, "opened": opened}


def _line(about: dict[str, Any]) -> str:
    moved = f": {', '.join(about['features'])}" if about["features"] else ""
    what = f"{about['detector']} of {about['endpoint']}{moved}"
    return f"{about['id'][:12]}  {about['state']:<9} {about['opened']}  {what}"


def _lines(incident: Incident) -> Iterator[str]:
    opened = incident.opened
    yield _line(_about(incident))
    yield f"  statistic {opened.statistic:.4g}, threshold {opened.threshold:.4g}, over {opened.rows:,} rows"
    yield f"  rows {opened.first.id}#{opened.first.row} to {opened.last.id}#{opened.last.row}, position {opened.at}"
    if incident.closed is not None:
        yield f"  {incident.state} at position {incident.closed}"
    if incident.note:
        yield f"  note: {incident.note}"
