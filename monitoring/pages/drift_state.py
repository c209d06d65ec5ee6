"""How it stands with one kind of drift of an endpoint, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass

from leeway.record import Incident

from ..incidents import OPEN
from ..watch import TROUBLED, WARMING, WATCHING, Watched
from .source import Source

CONCEPT, DATA = "concept_drift", "data_drift"
_ALARM, _GOOD, _QUIET = "alarm", "good", "quiet"
_UNJUDGED = {CONCEPT: "no truth came in this time", DATA: "no window ended in this time"}


@dataclass(frozen=True)
class DriftState:
    """`word` is the state, `tone` how it is coloured (alarm, good, quiet); `since` (epoch seconds) is when it began,
    None where nothing began it; `incident` names the open one, `about` says what else there is to know."""

    word: str
    tone: str
    since: int | None = None
    incident: str = ""
    about: str = ""

    @property
    def is_open(self) -> bool:
        return bool(self.incident)


def drift_state(
    source: Source, watched: Watched, kind: str, incidents: Sequence[Incident], is_judged: bool
) -> DriftState:
    """Of one `kind` (concept_drift, whichever detector found it, or data_drift); `incidents` are those of the endpoint,
    in the order in which they opened, `is_judged` says whether anything was held against the reference in the time
    that is shown."""
    mine = [each for each in incidents if each.kind == kind]
    if opened := [each for each in mine if each.state == OPEN]:
        return _opened(opened)
    if watched.state == TROUBLED:
        return DriftState("not watched", _ALARM)
    if watched.state not in (WARMING, WATCHING):
        return DriftState("not watched", _QUIET, about="no profile")
    if kind == CONCEPT and watched.state == WARMING:
        return DriftState("warming up", _QUIET, about="the first labelled rows set its level")
    if not is_judged:
        return DriftState("not known", _QUIET, about=_UNJUDGED[kind])
    if not mine:
        return DriftState("none", _GOOD, about="never an alarm")
    return DriftState("none", _GOOD, source.closed_at(mine[-1], watched.key))


def _opened(opened: Sequence[Incident]) -> DriftState:
    first, more = opened[0], len(opened) - 1
    about = [first.feature] if first.feature else []
    about += [f"and {more} more"] if more else []
    return DriftState("open", _ALARM, first.opened.appended, first.id, " ".join(about))
