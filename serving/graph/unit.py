"""What a node of a graph does, as callables from which everything is composed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from serving.types import Feedback, InferenceRequest

from .message import Message

# Branches that are none: ask all children, and answer with what was asked.
ALL, STOP = -1, -2


class Choice(NamedTuple):
    """A child's index, ALL or STOP, and the probability with which it was chosen (None: not known)."""

    branch: int
    probability: float | None = None


Step = Callable[[Message, InferenceRequest], Message]


class Unit(msgspec.Struct, frozen=True):
    """Each is None where the node does not do it. `class_name` and `version` say who it is, and `label` how Seldon's
    meta.requestPath names it; `only_answers`: it is a model, or something like it, and nothing else."""

    class_name: str
    version: str = ""
    transform_input: Step | None = None
    route: Callable[[Message, InferenceRequest], Choice] | None = None
    aggregate: Callable[[Sequence[Message], InferenceRequest], Message] | None = None
    transform_output: Step | None = None
    feedback: Callable[[Feedback, int | None], None] | None = None
    label: str = ""
    only_answers: bool = False

    def __post_init__(self) -> None:
        others = (self.route, self.aggregate, self.transform_output)
        answers = self.transform_input is not None and others == (None, None, None)
        msgspec.structs.force_setattr(self, "only_answers", answers)
        msgspec.structs.force_setattr(self, "label", ":".join(filter(None, (self.class_name, self.version))))
