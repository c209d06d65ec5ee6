"""Records whose JSON begins alike, decoded at the cost of what differs between them: RecordWriter's other side."""

import msgspec

from .record import SCHEMA, Record
from .record_writer import Said, said_of

_BORDER = b',"id":"'  # no text of JSON holds it, as a quote in a text has a backslash before it
_HEADS = 8
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_said = msgspec.json.Decoder(Said).decode
_VARYING = set(Said.__struct_fields__)


class RecordReader:
    """Reads records that begin as one that it was shown; what it says is what decoding them as a whole says."""

    def __init__(self) -> None:
        self._heads: list[tuple[bytes, int, Record]] = []

    def read(self, data: bytes) -> tuple[Record, Said] | None:
        """A record in two parts: one with the same other fields, the same object for all that begin alike, and what it
        says itself. None: it begins in another way, or is broken."""
        for head, size, like in self._heads:
            if data.startswith(head):
                try:
                    return like, _said(b"{" + data[size:])
                except _BROKEN:
                    return None
        return None

    def learn(self, data: bytes, record: Record) -> None:
        """Read what begins as this one does, where its JSON can be cut in two: fields that records share, then all
        that differ."""
        head, border, rest = data.partition(_BORDER)
        if not border or head.count(b"{") != 1 or record.schema != SCHEMA:
            return
        try:
            shared = msgspec.json.decode(head + b"}", type=dict[str, msgspec.Raw])
            if not _VARYING.isdisjoint(shared) or _said(b"{" + border[1:] + rest) != said_of(record):
                return
        except _BROKEN:
            return
        self._heads = [(head + b",", len(head) + 1, record), *self._heads[: _HEADS - 1]]
