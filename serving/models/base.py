"""What every model is to the data plane."""

from abc import ABC, abstractmethod

from serving.errors import NotOffered
from serving.types import InferenceRequest, Prediction


class Model(ABC):
    """A loaded model. `class_name` says what it is; `features` are the names of its columns where it knows them,
    `warnings` what was noticed when it was read.

    What it raises beyond ServingError is answered as a failure of the model.
    """

    class_name: str
    features: list[str] | None = None
    warnings: tuple[str, ...] = ()

    @abstractmethod
    def predict(self, request: InferenceRequest) -> Prediction:
        """One output per row. BadRequest where the rows are none that it takes."""

    def explain(self, request: InferenceRequest) -> Prediction:
        """Why it would answer so; NotOffered where it cannot say."""
        raise NotOffered(f"a {self.class_name} does not explain; a class of your own can: MODEL_CLASS, method explain")
