"""Who may ask: a token per function, as `Authorization: Bearer <token>` or as `X-Api-Key: <token>`."""

import hmac
from collections.abc import Sequence

from .errors import Forbidden, Unauthorized
from .types import HttpRequest, Operation

_OPEN = (Operation.LIVE, Operation.READY)  # who asks whether it lives carries no secrets


class Auth:
    """Takes any of `tokens`; without any, everybody. Comparing takes as long however much of a token is right."""

    def __init__(self, tokens: Sequence[str] = ()):
        self._tokens = [token.encode() for token in tokens]

    @property
    def is_on(self) -> bool:
        return bool(self._tokens)

    def check(self, operation: Operation, request: HttpRequest) -> None:
        """Unauthorized without a token, Forbidden with a wrong one."""
        if not self._tokens or operation in _OPEN:
            return
        given = _given(request)
        if not given:
            raise Unauthorized("this function asks for a token: send it as `Authorization: Bearer <token>`")
        sent = given.encode("utf-8", "surrogateescape")
        if not any([hmac.compare_digest(sent, token) for token in self._tokens]):  # all of them, every time
            raise Forbidden("the token is none of this function's; ask who deployed it for the one that is")


def _given(request: HttpRequest) -> str:
    scheme, _, token = request["authorization"].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request["x-api-key"].strip()
