"""What a handler returns, as the HTTP answer that Nuclio 1.14 makes of it (with the installed nuclio_sdk).

str           200 text/plain            dict          200 application/json (the SDK's encoder: NaN becomes "NaN")
bytes         200 text/plain, raw       Response      its status, str headers, content type; a dict body as JSON
(int, str)    that status, text/plain   (int, other)  that status, JSON
list          a batch: the first element answers; [] is an error (under Nuclio it costs a worker for ever)
other         str(it), 200 text/plain
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from nuclio_sdk import Response
from nuclio_sdk.json_encoder import Encoder

_ENCODER = Encoder()
_BODILESS = (204, 304)
_OWN = {"content-length", "transfer-encoding", "content-type"}


class Answer(NamedTuple):
    """What goes on the wire, apart from content-length and what the connection needs."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class UnanswerableOutput(Exception):
    """A handler returned what Nuclio cannot answer with; the request is answered 500."""


def answer(output: Any, warn: Callable[[str], None]) -> Answer:
    """UnanswerableOutput where Nuclio would answer 500; `warn` is told of Nuclio's traps."""
    if isinstance(output, Response):
        return _response(output, warn)
    if isinstance(output, list):
        return _batch(output, warn)
    status, kind, body = 200, b"text/plain", output
    if isinstance(output, dict):
        kind, body = b"application/json", encode(output)
    elif isinstance(output, tuple) and len(output) == 2:
        status, body = _status(output[0]), output[1]
        if not isinstance(body, str):
            kind, body = b"application/json", encode(body)
    return Answer(status, [(b"content-type", kind)], _bytes(status, body))


def encode(value: Any) -> bytes:
    """The SDK encoder's JSON, by the C encoder wherever that gives the same."""
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError):
        return _ENCODER.encode(value).encode()


def _response(output: Response, warn: Callable[[str], None]) -> Answer:
    kind, body = output.content_type, output.body
    if isinstance(body, dict):
        kind, body = "application/json", json.dumps(body)
    elif isinstance(body, list):
        warn("Response(body=list) is answered as Python's repr of it, which is not JSON; pass body=json.dumps(...)")
    status = _status(output.status_code)
    headers = [(b"content-type", _header(kind))] if kind else []
    for name, value in output.headers.items():
        if not isinstance(value, str):
            warn(f"header {name}: {value!r} is not a str: Nuclio drops it; pass str(value)")
        elif name.lower() not in _OWN or (name.lower() == "content-type" and not kind):
            headers.append((_header(name), _header(value)))
    return Answer(status, headers, _bytes(status, body))


def _batch(output: list, warn: Callable[[str], None]) -> Answer:
    if not output:
        raise UnanswerableOutput(
            "the handler returned an empty list: Nuclio takes a list for a batch of responses and loses this worker "
            "for ever; return Response(body=json.dumps(value), content_type='application/json')"
        )
    warn("a list is a batch of responses to Nuclio: the caller gets only its first element; return a Response instead")
    answers = [_nested(element) if isinstance(element, list) else answer(element, warn) for element in output]
    return answers[0]  # all of them are encoded, and each can fail


def _nested(element: list) -> Answer:
    return Answer(200, [(b"content-type", b"application/json")], encode(element))


def _status(status: Any) -> int:
    if type(status) is not int:
        raise UnanswerableOutput(f"the handler's status code is {status!r}, a {type(status).__name__}; return an int")
    if status == 0:
        return 200
    if not 200 <= status <= 599:
        raise UnanswerableOutput(f"the handler's status code is {status}; return one from 200 to 599")
    return status


def _bytes(status: int, body: Any) -> bytes:
    if status in _BODILESS:
        return b""
    return body if isinstance(body, bytes) else str(body).encode()


def _header(text: str) -> bytes:
    return text.replace("\r", " ").replace("\n", " ").encode()
