"""What travels through a graph."""

from typing import Any

import msgspec

from serving.types import InferenceRequest, Prediction


class Message(msgspec.Struct, frozen=True, gc=False):
    """Rows, or what became of them; `names` are their columns' where they are known. `prediction` is there where the
    last to speak was a model. `tags` and `metrics` are Seldon's meta, which grows on the way."""

    rows: list[Any]
    names: list[str] | None = None
    prediction: Prediction | None = None
    tags: dict[str, Any] = {}
    metrics: list[dict[str, Any]] = []

    @classmethod
    def of(cls, request: InferenceRequest, tags: dict[str, Any]) -> "Message":
        """What a graph is asked."""
        return cls(request.rows, request.names, tags=tags)

    @property
    def said(self) -> Prediction:
        """It as an answer."""
        return self.prediction if self.prediction is not None else Prediction(self.rows)
