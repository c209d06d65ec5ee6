"""What the stores of one home hold: streams with their lag, watched endpoints, and where everything lies."""

import os
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING, Any

from leeway.backends.redacted import redacted
from leeway.errors import LeewayError
from leeway.outbox_waiting import outboxes_below
from leeway.settings import Settings

from .home import Home

if TYPE_CHECKING:
    from monitoring.queries import Queries


def stores(settings: Settings) -> dict[str, Any]:
    """{streams: [{name, shards, appended, waiting, lost, error}], deployments: [{name, lost, dropped, dead_lettered,
    pending}], endpoints: [{name, deployment, state, trouble, incidents}], outboxes: [{function, waiting_bytes,
    dropped}], stores: {kind: {at, bytes, locked}}, free: bytes of the home's disk, error}. `waiting` is None where
    nobody reads the stream, `bytes` where a store is no folder, `trouble` but where an endpoint is not watched
    ({reason, since}); a store is `locked` where it is there and cannot be written. `error` says which store cannot be
    read, that of a stream why nothing is known of it: its broker is away, say. Creates nothing."""
    home = Home.at(settings.home).path
    known: dict[str, Any] = {"streams": [], "deployments": [], "endpoints": [], "error": ""}
    if settings.state or (home / "state" / "shared.db").exists():
        try:
            known |= _known(settings, home)
        except LeewayError as error:
            known["error"] = str(error)
    return {
        **known,
        "outboxes": outboxes_below(home / "outbox"),
        "free": disk_usage(home).free if home.exists() else None,
        "stores": {
            "streams": _place(settings.stream, home / "streams"),
            "series": _place(settings.series, home / "series.db"),
            "archive": _place(settings.archive, home / "archive"),
            "state": _place(settings.state, home / "state"),
            "outbox": _place("", home / "outbox"),
        },
    }


def _known(settings: Settings, home: Path) -> dict[str, Any]:
    from monitoring.queries import Queries

    with Queries(settings) as queries:
        return {
            "streams": _streams(settings, home / "streams", queries),
            "deployments": [_counted(queries, key) for key in queries.deployments()],
            "endpoints": _endpoints(queries),
        }


def _endpoints(queries: "Queries") -> list[dict[str, Any]]:
    opened = [incident.endpoint for incident in queries.incidents() if incident.state == "open"]
    return [
        {
            "name": name, "deployment": about.key, "state": about.state, "trouble": about.told_trouble,
            "incidents": opened.count(name),
        }
        for name, about in queries.watched().items()
    ]  # fmt: skip


def _counted(queries: "Queries", key: str) -> dict[str, Any]:
    counts = queries.counts(key)
    return {
        "name": key,
        "lost": counts["lost"],
        "dropped": sum(counts["dropped"].values()),
        "dead_lettered": counts["dead_lettered"],
        "pending": counts["feedback"]["pending"],
    }


def _streams(settings: Settings, folder: Path, queries: "Queries") -> list[dict[str, Any]]:
    """Names without a scheme lie below `folder`, but where the settings say that they lie elsewhere."""
    elsewhere = bool(settings.stream or settings.v3io_api)
    read = {shown.stream for shown in queries.consumers()}
    here = set() if elsewhere else {path.parent.relative_to(folder).as_posix() for path in folder.rglob("stream.json")}
    shown = here | {name for name in read if elsewhere or "://" in name}
    return [_stream(name, name in read, settings, queries) for name in sorted(shown)]


def _stream(name: str, is_read: bool, settings: Settings, queries: "Queries") -> dict[str, Any]:
    from monitoring.lag import lag_of

    try:
        lag = lag_of(name, settings, queries)
    except LeewayError as error:
        return {**dict.fromkeys(("shards", "appended", "waiting", "lost")), "name": name, "error": str(error)}
    waiting = lag.waiting if is_read else None
    found = {"shards": len(lag.ends), "appended": lag.end, "waiting": waiting, "lost": lag.lost}
    return {"name": name, **found, "error": ""}


def _place(url: str, place: Path) -> dict[str, Any]:
    if url:
        return {"at": redacted(url), "bytes": None, "locked": False}
    files = [place, *place.rglob("*")]
    held = sum(path.stat().st_size for path in files if path.is_file())
    return {"at": str(place), "bytes": held, "locked": place.exists() and not os.access(place, os.W_OK)}
