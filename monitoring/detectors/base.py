"""What every detector can do."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np


class StreamDetector(ABC):
    """Watches one number after the other.

    After an alarm `statistic` keeps the value that crossed `threshold`; the next value begins anew. The state is
    small: `snapshot` and `restore` move it, exactly, into another instance that was made with the same parameters.
    """

    statistic: float
    threshold: float

    @abstractmethod
    def update(self, x: float) -> bool:
        """Take one value; whether it alarms."""

    def update_many(self, xs: np.ndarray) -> list[int]:
        """Take values in order, shape (n,); the indices of those that alarm. The same result as one by one."""
        return [i for i, x in enumerate(xs.tolist()) if self.update(x)]

    @abstractmethod
    def snapshot(self) -> dict[str, Any]:
        """The state as JSON values."""

    @abstractmethod
    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what `snapshot` gave."""

    @classmethod
    @abstractmethod
    def example(cls) -> "StreamDetector":
        """A new instance for the conformance suite: watches zeros and ones, a tenth of them ones."""


class BatchDetector(ABC):
    """Compares windows of rows with a reference. Scoring changes nothing."""

    @classmethod
    @abstractmethod
    def fit(cls, profile: Any, settings: Any) -> "BatchDetector":
        """Precompute what does not change from window to window."""

    @abstractmethod
    def score(self, columns: dict[str, np.ndarray | list], outputs: Any = None, probabilities: Any = None) -> Any:
        """Compare one window, columns by name, each of shape (n,)."""
