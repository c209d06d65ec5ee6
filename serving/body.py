"""The JSON of a request's body, whatever the host made of it."""

from typing import Any

import orjson

from .errors import BadRequest, UnsupportedMediaType
from .types import HttpRequest

# What clients call JSON: curl's -d says x-www-form-urlencoded unless it is told otherwise.
_JSON = ("", "application/json", "text/json", "text/plain", "application/x-www-form-urlencoded")


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as an object. UnsupportedMediaType, or BadRequest where it is none."""
    body = request.body
    if not isinstance(body, dict):
        body = _decoded(request)
        if not isinstance(body, dict):
            raise BadRequest(f"the body is a JSON {_name_of(body)}; expected an object with the rows")
    return body


def _decoded(request: HttpRequest) -> Any:
    body = request.body
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if not isinstance(body, bytes | bytearray):
        return body
    kind = request["content-type"]
    if kind != "application/json":
        body = _utf8(body, kind)
    if not body:
        raise BadRequest("the body is empty; expected a JSON object")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is no JSON: {error}") from None


def _utf8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8, as orjson reads it."""
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    if kind not in _JSON and not kind.endswith("+json"):
        raise UnsupportedMediaType(f"content type {kind!r:.80} is not read here; send application/json")
    charset = next((p.partition("=")[2].strip("\"' ") for p in parameters if p.startswith("charset=")), "utf-8")
    if charset in ("utf-8", "utf8", "us-ascii"):
        return body
    try:
        return body.decode(charset).encode()
    except LookupError:
        raise UnsupportedMediaType(f"charset {charset!r:.40} is not known; send JSON in UTF-8") from None
    except (UnicodeError, ValueError):
        raise BadRequest(f"the body is not in {charset!r:.40}, as its content type says; send JSON in UTF-8") from None


def _name_of(value: Any) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), type(value).__name__)
