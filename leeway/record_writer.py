"""Records of one kind, encoded at the cost of what differs between them."""

from operator import attrgetter
from typing import Any

import msgspec

from .record import NodeAnswer, Origin, Record, Request, Response, Whole, encode


class Said(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """The fields of a Record that differ from one to the next. Read from JSON, it takes no other ones."""

    id: str
    when: str
    origin: Origin
    microsec: Whole = 0
    request: Request = Request()
    resp: Response = Response()
    event_time: str | None = None
    error: str | None = None
    labels: dict[str, str] = {}
    metrics: dict[str, Any] = {}
    trace: str | None = None
    arm: str | None = None
    propensity: float | None = None
    key_hash: str | None = None
    shadow_of: str | None = None
    nodes: list[NodeAnswer] = []


_differing = attrgetter(*Said.__struct_fields__)


def said_of(record: Record) -> Said:
    """That part of a record."""
    return Said(*_differing(record))


class RecordWriter:
    """Writes records that share the fields of `like`, which is encoded once; its Said fields count for nothing."""

    def __init__(self, like: Record):
        varying = set(Said.__struct_fields__)
        same = {name: value for name, value in msgspec.to_builtins(like).items() if name not in varying}
        self._head = encode(same)[:-1] + b","

    def write(self, said: Said) -> bytes:
        """The JSON of the whole record."""
        return self._head + encode(said)[1:]
