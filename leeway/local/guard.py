"""Who may speak to the platform: programs of this machine, never a web page."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable, Callable], Awaitable[None]]

_NAMES = ("127.0.0.1", "localhost", "[::1]")
# What a form, or fetch() in "no-cors" mode, can send without the browser asking first.
_FORM_TYPES = ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data")


class Guard:
    """ASGI middleware: 403 unless Host is loopback with our port (DNS rebinding), Origin, where there is one, is the
    same, and a POST's content type is one that a page cannot send to another site unasked."""

    def __init__(self, application: Application, port: int):
        self._application = application
        self._hosts = {f"{name}:{port}" for name in _NAMES}

    async def __call__(self, scope: Scope, receive: Callable, send: Callable) -> None:
        if scope["type"] == "http" and (reason := self._refusal(scope)):
            return await JSONResponse({"error": reason}, 403)(scope, receive, send)
        await self._application(scope, receive, send)

    def _refusal(self, scope: Scope) -> str:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        kind = headers.get(b"content-type", "").partition(";")[0].strip().lower()
        if host.lower() not in self._hosts:
            return f"Host {host!r} is not this platform: use one of {', '.join(sorted(self._hosts))}"
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return f"Origin {origin!r}: a web page may not use the platform"
        if scope["method"] == "POST" and kind in _FORM_TYPES:
            return f"content type {kind!r} is what a web form sends: send application/json"
        return ""
