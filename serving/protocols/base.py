"""What every protocol is: a translation, of paths and bodies into our words, and of our answers into its own."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from serving.errors import ServingError
from serving.types import About, Feedback, HttpRequest, InferenceRequest, InferenceResponse, Route


class Protocol(ABC):
    """Stateless. A path may belong to several protocols; the first one that recognises it (by its body, where need
    be) has it."""

    @abstractmethod
    def route(self, request: HttpRequest) -> Route | None:
        """Where the path leads in this protocol, whatever the method; None: it is none of its paths."""

    @abstractmethod
    def read(self, route: Route, request: HttpRequest) -> InferenceRequest | Feedback:
        """What a body asks, or tells (where the operation is feedback). BadRequest where it cannot be read."""

    @abstractmethod
    def write(self, route: Route, asked: InferenceRequest | Feedback, answer: InferenceResponse | Feedback) -> Any:
        """The answer to what `read` gave, as a JSON value, or as Content where it is none. For feedback both are it."""

    @abstractmethod
    def describe(self, route: Route, models: Sequence[About]) -> Any:
        """What is known of the server (all its models) or of one model, as a JSON value."""

    def error(self, error: ServingError, id: str) -> Any:
        """An error as a JSON value."""
        return {"error": str(error), "id": id} if id else {"error": str(error)}
