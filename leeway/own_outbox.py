"""Records of a command or a page: they go through an outbox too, so that nothing is lost on the way."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.errors import LeewayError
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.record import SCHEMA, Origin, Record, encode
from leeway.settings import Settings

_PATIENCE_S = 10.0


def send(settings: Settings, stream: str, key: str, records: Sequence[Callable[[Origin], bytes]]) -> bool:
    """Send records of one stream key, each a function of its origin. False: the stream takes none now; they lie beside
    the outboxes of the function, whose workers send them on. LeewayError where they could not even be kept.
    """
    function_uri = key.rpartition("/")[0]
    outbox = Outbox.create(settings.home / "outbox" / function_uri, settings, SystemClock())
    forwarder = Forwarder(outbox, lambda: connect.stream(stream, settings))
    kept = [outbox.append(key, make) for make in records]
    sent = forwarder.close(_PATIENCE_S)
    if not all(kept):
        raise LeewayError(f"{kept.count(False)} of {len(kept)} records could not be kept: {outbox.dropped()}")
    return sent


def record_of(key: str, op: str, origin: Origin, **fields: Any) -> bytes:
    """A record of a stream key that begins now."""
    project, function, deployment = key.split("/", 2)
    when = datetime.now(UTC).isoformat(timespec="microseconds")
    return encode(
        Record(
            schema=SCHEMA, id=uuid4().hex, op=op, when=when, project=project, function_uri=f"{project}/{function}",
            deployment=deployment, origin=origin, **fields,
        )
    )  # fmt: skip
