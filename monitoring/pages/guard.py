"""Who may look: this machine, and the hosts that were allowed by name; and what a browser may do with a page."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from leeway.settings import Settings

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable, Callable], Awaitable[None]]


def is_loopback(host: str, settings: Settings) -> bool:
    """Whether a Host header names this machine. In a pod none does: whoever reaches it came over the network."""
    return not settings.kubernetes_service_host and _name(host) in _LOOPBACK


class Guard:
    """ASGI middleware: 403 unless Host is allowed (else a page of another site could read this one after DNS
    rebinding) and Origin, where there is one, is that host; 405 for what is not GET, HEAD or POST."""

    def __init__(self, application: Application, settings: Settings):
        self._application, self._settings = application, settings
        self._allowed = {host.strip().lower() for host in settings.dashboard_hosts.split(",") if host.strip()}

    async def __call__(self, scope: Scope, receive: Callable, send: Callable) -> None:
        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(scope) or self._application
        await answer(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("only GET, HEAD and POST\n", 405, {"allow": "GET, HEAD, POST"})
        headers = Headers(scope=scope)
        host, origin = headers.get("host", "").lower(), headers.get("origin")
        if not is_loopback(host, self._settings) and not {host, _name(host)} & self._allowed:
            return PlainTextResponse(
                "this host is not allowed here: LEEWAY_DASHBOARD_HOSTS names those that are\n", 403
            )
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return PlainTextResponse("a page of another origin may not use the dashboard\n", 403)
        return None


def _name(host: str) -> str:
    """Without the port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
