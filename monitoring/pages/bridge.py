"""A Nuclio event as an ASGI request, and its answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlencode


class Answered(NamedTuple):
    """Status, headers (a name once) and body."""

    status: int
    headers: dict[str, str]
    body: bytes


async def respond(application: Callable[..., Awaitable[None]], event: Any) -> Answered:
    """Pass one event to an ASGI application: method, path, query fields, headers and body."""
    body = event.body if isinstance(event.body, bytes) else str(event.body or "").encode()
    started: MutableMapping[str, Any] = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            parts.append(message.get("body", b""))

    await application(_scope(event), receive, send)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in started["headers"]}
    headers.pop("content-length", None)  # the trigger counts for itself
    return Answered(started["status"], headers, b"".join(parts))


def _scope(event: Any) -> MutableMapping[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": event.method or "GET",
        "scheme": "http",
        "path": event.path or "/",
        "raw_path": (event.path or "/").encode(),
        "query_string": urlencode(event.fields or {}).encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), str(value).encode()) for name, value in (event.headers or {}).items()],
        "client": None,
        "server": None,
    }
