"""What can go wrong on the request path, and the one place that says which HTTP status each is answered with."""

from typing import Any

from leeway.errors import LeewayError


class ServingError(LeewayError):
    """The root of the request path's errors. Its text goes to the client: what was wrong, and what to do. `walk` is how
    far a graph came."""

    walk: Any = None


class BadRequest(ServingError):
    """The body cannot be read, or lacks what the model needs."""


class Unauthorized(ServingError):
    """A token is asked for, and none was sent."""


class Forbidden(ServingError):
    """The token that was sent is none of those that are taken."""


class NotFound(ServingError):
    """No such path, model or version."""


class MethodNotAllowed(ServingError):
    """The path is there, but not for this method; `allowed` are those it is there for."""

    def __init__(self, text: str, allowed: tuple[str, ...]):
        super().__init__(text)
        self.allowed = allowed


class TooLarge(ServingError):
    """The body has more bytes than are taken."""


class UnsupportedMediaType(ServingError):
    """The body is in a form that the protocol does not read."""


class NotOffered(ServingError):
    """The model does not do what was asked for."""


class ModelFailed(ServingError):
    """A model raised, or said something that cannot be passed on. The text names the model, and tells no more."""


class NodeTimedOut(ModelFailed):
    """A node of a graph did not answer within its time."""


class TooBusy(ServingError):
    """Too many nodes of graphs are waited for already."""


class LoadError(ServingError):
    """A model cannot be loaded: not there, not trusted, or in no form that is known."""


_STATUS: dict[type[ServingError], int] = {
    BadRequest: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    ModelFailed: 500,
    NotOffered: 501,
    LoadError: 503,
    TooBusy: 503,
    NodeTimedOut: 504,
}


def status_of(error: ServingError) -> int:
    """The HTTP status of an error; 500 for one that is not in the table."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
