"""The id of a request: the caller's where there is a usable one, else a new one."""

import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .errors import BadRequest

_LONGEST = 256
_HEADERS = ("x-request-id", "seldon-puid")


def request_id(given: Any, headers: Mapping[str, str]) -> str:
    """`given` is what the body says (None or "": nothing), then come `x-request-id` and Seldon's puid. BadRequest
    where the body's is no id; a header that is none counts as absent, as something on the way may have set it."""
    if given is not None and given != "":
        given = str(given) if type(given) is int else given
        if not isinstance(given, str) or not _is_usable(given):
            raise BadRequest(f"id is {given!r:.80}; expected text of at most {_LONGEST} printable characters, or none")
        return given
    for header in _HEADERS:
        text = headers.get(header, "")
        if text and _is_usable(text):
            return text
    return uuid7()


def uuid7() -> str:
    """A UUID of version 7: in the order of time (milliseconds), random beyond that."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def header_value(id: str) -> str:
    """The id as a header can carry it."""
    return id if id.isascii() else quote(id, safe=" ")


def _is_usable(text: str) -> bool:
    return len(text) <= _LONGEST and text.isprintable()
