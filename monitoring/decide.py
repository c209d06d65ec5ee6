"""A person's decision about an incident, put into the stream that the incident came from."""

from dataclasses import dataclass

from leeway.errors import LeewayError
from leeway.own_outbox import record_of, send
from leeway.record import DECISION, Incident
from leeway.settings import Settings

from .queries import Queries

CONFIRM, DISMISS = "confirm", "dismiss"


@dataclass(frozen=True)
class Decided:
    """The incident's whole id, and the stream; `sent` is False where that takes nothing now, and the function's workers
    send the decision on later."""

    incident: str
    stream: str
    sent: bool


def decide(settings: Settings, id: str, do: str, note: str) -> Decided:
    """Confirm or dismiss the incident whose id begins so. LeewayError where it cannot be kept, or nobody reads it."""
    with Queries(settings) as queries:
        found = incident_of(queries, id)
        if found.state not in ("open", "cleared"):
            raise LeewayError(f"incident {found.id} is {found.state} already, and stays so")
        key = queries.watched()[found.endpoint].key
        stream = queries.stream_of(key)
    if stream is None:
        raise LeewayError(f"nobody reads a stream with records of {key}: deploy concept_drift on it")
    decision = {"do": do, "incident": found.id, "note": note}
    sent = send(settings, stream, key, [lambda origin: record_of(key, DECISION, origin, decision=decision)])
    return Decided(found.id, stream, sent)


def incident_of(queries: Queries, id: str) -> Incident:
    """The one incident whose id begins so; LeewayError where that is none or several."""
    found = [incident for incident in queries.incidents() if incident.id.startswith(id)]
    if len(found) != 1:
        what = f"{len(found)} incidents have ids that begin so" if found else "there is none such"
        raise LeewayError(f"no incident {id!r}: {what}; `leeway incidents list --all` lists them")
    return found[0]
