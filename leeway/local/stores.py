"""What the stores of one home hold: streams with their lag, watched endpoints, and where everything lies."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from leeway.backends.redacted import redacted
from leeway.settings import Settings

from .home import Home

if TYPE_CHECKING:
    from monitoring.queries import Queries


def stores(settings: Settings) -> dict[str, Any]:
    """{streams: [{name, shards, appended, waiting}], endpoints: [{name, deployment, state, incidents}], stores:
    {kind: {at, bytes}}}. `waiting` is None where nobody reads the stream, `bytes` where a store is no folder.
    Creates nothing."""
    home = Home.at(settings.home).path
    known: dict[str, Any] = {"streams": [], "endpoints": []}
    if settings.state or (home / "state" / "shared.db").exists():
        from monitoring.queries import Queries

        with Queries(settings) as queries:
            known = {"streams": _streams(settings, home / "streams", queries), "endpoints": _endpoints(queries)}
    return {
        **known,
        "stores": {
            "streams": _place(settings.stream, home / "streams"),
            "series": _place(settings.series, home / "series.db"),
            "archive": _place(settings.archive, home / "archive"),
            "state": _place(settings.state, home / "state"),
            "outbox": _place("", home / "outbox"),
        },
    }


def _endpoints(queries: "Queries") -> list[dict[str, Any]]:
    opened = [incident.endpoint for incident in queries.incidents() if incident.state == "open"]
    return [
        {"name": name, "deployment": about.key, "state": about.state, "incidents": opened.count(name)}
        for name, about in queries.watched().items()
    ]


def _streams(settings: Settings, folder: Path, queries: "Queries") -> list[dict[str, Any]]:
    from monitoring.lag import lag_of

    read = {shown.stream for shown in queries.consumers()}
    here = {path.parent.relative_to(folder).as_posix() for path in folder.rglob("stream.json")}
    found = []
    for name in sorted(here | {name for name in read if "://" in name}):
        lag = lag_of(name, settings, queries)
        waiting = lag.waiting if name in read else None
        found.append({"name": name, "shards": len(lag.ends), "appended": lag.end, "waiting": waiting})
    return found


def _place(url: str, place: Path) -> dict[str, Any]:
    if url:
        return {"at": redacted(url), "bytes": None}
    files = [place, *place.rglob("*")]
    return {"at": str(place), "bytes": sum(path.stat().st_size for path in files if path.is_file())}
