"""A person's decision about an incident, put into the stream that the incident came from."""

from datetime import UTC, datetime
from uuid import uuid4

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.errors import LeewayError
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.record import DECISION, SCHEMA, Origin, Record, encode
from leeway.settings import Settings

from .queries import Queries

CONFIRM, DISMISS = "confirm", "dismiss"
_PATIENCE_S = 10.0


def decide(settings: Settings, incident: str, do: str, note: str) -> bool:
    """Confirm or dismiss an incident, by its whole id. The record goes through an outbox; False: the stream takes
    nothing now, and the function's workers send it on later. LeewayError where it cannot be kept, or nobody reads it.
    """
    with Queries(settings) as queries:
        found = next((each for each in queries.incidents() if each.id == incident), None)
        if found is None:
            raise LeewayError(f"no incident is called {incident!r}")
        if found.state not in ("open", "cleared"):
            raise LeewayError(f"incident {incident} is {found.state} already, and stays so")
        key = queries.watched()[found.endpoint].key
        stream = queries.streams().get(key)
    if stream is None:
        raise LeewayError(f"nobody reads a stream with records of {key}: deploy concept_drift on it")
    decision = {"do": do, "incident": incident, "note": note}
    outbox = Outbox.create(settings.home / "outbox" / key.rpartition("/")[0], settings, SystemClock())
    forwarder = Forwarder(outbox, lambda: connect.stream(stream, settings))
    kept = outbox.append(key, lambda origin: encode(_record(key, origin, decision)))
    sent = forwarder.close(_PATIENCE_S)
    if not kept:
        raise LeewayError(f"the decision could not be kept: {outbox.dropped()}")
    return sent


def _record(key: str, origin: Origin, decision: dict[str, str]) -> Record:
    project, function, deployment = key.split("/", 2)
    return Record(
        schema=SCHEMA,
        id=uuid4().hex,
        op=DECISION,
        when=datetime.now(UTC).isoformat(timespec="microseconds"),
        project=project,
        function_uri=f"{project}/{function}",
        deployment=deployment,
        origin=origin,
        decision=decision,
    )
