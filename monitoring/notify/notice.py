"""What people are told of: something that began or ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from leeway.record import Incident

from ..incidents import CLEARED, OPEN

STUCK, MOVES = "stuck", "moves"


@dataclass(frozen=True)
class Notice:
    """`key` names what it is about, `state` how that stands now: both together are told once. `about` is who it
    happened to, `path` the page of the dashboard that shows more, `begins` whether it is bad news."""

    key: str
    state: str
    title: str
    text: str
    about: str
    begins: bool
    path: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def of_incidents(incidents: Iterable[Incident]) -> list[Notice]:
    """How each incident stands. What a person decided is no news: it only ends what was told."""
    return [_of(incident) for incident in incidents]


def of_stuck(stream: str, shard: int, waiting: int, since_s: float | None) -> Notice:
    """A consumer that does not move while messages wait; or, with no `since_s`, that moves again."""
    key, about = f"consumer/{stream}/{shard}", f"shard {shard} of the stream {stream}"
    if since_s is None:
        return Notice(key, MOVES, "A consumer moves again", f"{about} is consumed again", about, False, "system")
    text = f"{waiting:,} messages wait in {about}, and none was committed for {since_s:.0f} s"
    details = {"stream": stream, "shard": shard, "waiting": waiting}
    return Notice(key, STUCK, "A consumer is stuck", text, about, True, "system", details)


def _of(incident: Incident) -> Notice:
    opened, kind = incident.opened, incident.detector.replace("_", " ")
    moved = f": {', '.join(incident.features[:5])}" if incident.features else ""
    when = datetime.fromtimestamp(opened.appended, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    measured = f"statistic {opened.statistic:.3g} over {opened.threshold:.3g}, {opened.rows:,} rows up to {when}"
    news = {OPEN: "", CLEARED: " cleared"}.get(incident.state, f" {incident.state}")
    return Notice(
        key=f"incident/{incident.id}",
        state=incident.state,
        title=f"{kind.capitalize()}{news}",
        text=f"{kind}{news} on {incident.endpoint}{moved} ({measured})",
        about=incident.endpoint,
        begins=incident.state == OPEN,
        path=f"incident?id={quote(incident.id, safe='')}",
        details={
            "incident": incident.id, "endpoint": incident.endpoint, "detector": incident.detector,
            "kind": incident.kind, "features": incident.features, "statistic": opened.statistic,
            "threshold": opened.threshold, "rows": opened.rows, "appended": opened.appended,
        },
    )  # fmt: skip
