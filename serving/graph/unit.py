"""What a node of a graph does, as callables from which everything is composed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from serving.types import Feedback, InferenceRequest

from .message import Message

# Branches that are none: ask all children, and answer with what was asked.
ALL, STOP = -1, -2


class Choice(NamedTuple):
    """A child's index, ALL or STOP, and the probability with which it was chosen (None: not known)."""

    branch: int
    probability: float | None = None


Step = Callable[[Message, InferenceRequest], Message]


class Unit(NamedTuple):
    """Each is None where the node does not do it. `class_name` and `version` say who it is."""

    class_name: str
    version: str = ""
    transform_input: Step | None = None
    route: Callable[[Message, InferenceRequest], Choice] | None = None
    aggregate: Callable[[Sequence[Message], InferenceRequest], Message] | None = None
    transform_output: Step | None = None
    feedback: Callable[[Feedback, int | None], None] | None = None

    @property
    def label(self) -> str:
        """How Seldon's meta.requestPath names it."""
        return f"{self.class_name}:{self.version}" if self.version else self.class_name
