"""The body of a request, whatever the host made of it: unpacked, and as the JSON object that it should be."""

import zlib
from typing import Any
from urllib.parse import parse_qs

import msgspec
import orjson

from .errors import BadRequest, ServingError, TooLarge, UnsupportedMediaType
from .types import HttpRequest

_FORM = "application/x-www-form-urlencoded"
# What clients call JSON: curl's -d says x-www-form-urlencoded unless it is told otherwise.
_JSON = ("", "application/json", "text/json", "text/plain", _FORM)
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}
BINARY_HEADER = "inference-header-content-length"


def opened(request: HttpRequest, limit: int) -> tuple[HttpRequest, ServingError | None]:
    """The request with its body unpacked, and decoded where it is a JSON object; a body that is none stays bytes.

    Beside it the reason why it cannot be taken (over `limit` bytes, packed or not, or in a packing that is not
    known), which its protocol will give in its own form.
    """
    body = request.body
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if not isinstance(body, bytes | bytearray) or not body:
        return request, None
    try:
        _check_size(len(body), limit)
        coding = request["content-encoding"]
        if coding:
            body = _unpacked(body, coding.strip().lower(), limit)
        if BINARY_HEADER not in request.headers:
            body = _object(body, request["content-type"])
    except ServingError as error:
        return request, error
    return msgspec.structs.replace(request, body=body), None


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body of an opened request as an object. UnsupportedMediaType, or BadRequest where it is none."""
    body = request.body
    if not isinstance(body, dict):
        if isinstance(body, bytes | bytearray):
            body = _decoded(bytes(body), request["content-type"])
        if not isinstance(body, dict):
            raise BadRequest(f"the body is a JSON {_name_of(body)}; expected an object with the rows")
    return body


def _object(body: bytes, content_type: str) -> Any:
    """What is no JSON object stays as it is: some protocols read other things, and each says so in its own words."""
    try:
        found = _decoded(body, content_type)
    except ServingError:
        return body
    return found if isinstance(found, dict) else body


def _decoded(body: bytes, content_type: str) -> Any:
    if content_type != "application/json":
        body = _utf8(body, content_type)
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
    if kind == _FORM:
        body = _form_field(body)
    charset = next((p.partition("=")[2].strip("\"' ") for p in parameters if p.startswith("charset=")), "utf-8")
    if charset in ("utf-8", "utf8", "us-ascii"):
        return body
    try:
        return body.decode(charset).encode()
    except LookupError:
        raise UnsupportedMediaType(f"charset {charset!r:.40} is not known; send JSON in UTF-8") from None
    except (UnicodeError, ValueError):
        raise BadRequest(f"the body is not in {charset!r:.40}, as its content type says; send JSON in UTF-8") from None


def _form_field(body: bytes) -> bytes:
    """The field `json` of a form, which Seldon's clients send; the body itself where it is no form."""
    if b"json=" not in body or body.lstrip()[:1] in (b"{", b"["):
        return body
    try:
        found = parse_qs(body.decode(), max_num_fields=100).get("json")
    except ValueError:
        return body
    return found[0].encode("utf-8", "replace") if found else body


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"the body has {size:,} bytes; at most {limit:,} are taken: send less")


def _unpacked(body: bytes, coding: str, limit: int) -> bytes:
    if coding == "identity":
        return body
    if coding not in _WINDOW:
        raise UnsupportedMediaType(f"content encoding {coding!r:.40} is not known; send gzip, deflate or nothing")
    unpacker = zlib.decompressobj(_WINDOW[coding])
    try:
        found = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadRequest(f"the body is not in {coding}, as its content encoding says: {error}") from None
    if len(found) > limit:
        raise TooLarge(f"the body unpacks to more than the {limit:,} bytes that are taken: send less")
    if not unpacker.eof:
        raise BadRequest(f"the body ends in the middle of its {coding} data; send all of it")
    return found


def _name_of(value: Any) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), type(value).__name__)
