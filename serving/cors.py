"""Which pages of other origins a browser lets ask: none, unless origins are set."""

from collections.abc import Sequence

from .types import HttpRequest

_HEADERS = "Accept, Authorization, Content-Type, Content-Encoding, Inference-Header-Content-Length, Seldon-Puid, " \
    "Traceparent, X-Api-Key, X-Request-Id"  # fmt: skip
_EXPOSED = "Inference-Header-Content-Length, Seldon-Puid, X-Request-Id"
_MAX_AGE_S = 600


class Cors:
    """`origins` as browsers send them (scheme, host and port), or "*"."""

    def __init__(self, origins: Sequence[str] = ()):
        self._origins = frozenset(origins)

    def headers(self, request: HttpRequest) -> dict[str, str]:
        """What an answer says to the page that asked; nothing where no origins are set, or not this one."""
        origin = request["origin"]
        if not origin or not (self._origins & {origin, "*"}):
            return {}
        if "*" in self._origins:
            return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _EXPOSED, "Vary": "Origin"}

    def preflight(self, request: HttpRequest, methods: Sequence[str]) -> dict[str, str]:
        """What OPTIONS is answered with, for a path that is there for these methods."""
        allowed = self.headers(request)
        if allowed:
            allowed["Access-Control-Allow-Methods"] = ", ".join(methods)
            allowed["Access-Control-Allow-Headers"] = _HEADERS
            allowed["Access-Control-Max-Age"] = str(_MAX_AGE_S)
        return {"Allow": ", ".join([*methods, "OPTIONS"]), **allowed}
