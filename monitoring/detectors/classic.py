"""What the detectors of the literature have in common: small states of numbers, and a zone of warning."""

from abc import abstractmethod
from typing import Any, ClassVar

from .base import StreamDetector


class ClassicDetector(StreamDetector):
    """Finds its level in the stream itself, and begins anew, with a new level, after each alarm.

    `kept` names the attributes that are the state. `is_warning` says whether the last value lay in the zone of warning.
    """

    kept: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        self.is_alarm = self.is_warning = False
        self.begin()

    @abstractmethod
    def begin(self) -> None:
        """Forget everything that was seen."""

    @abstractmethod
    def take(self, x: float) -> None:
        """Take one value: sets `statistic`, `threshold`, `is_alarm` and, where there is one, `is_warning`."""

    def update(self, x: float) -> bool:
        if self.is_alarm:
            self.is_alarm = self.is_warning = False
            self.begin()
        self.take(x)
        return self.is_alarm

    def snapshot(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*self.kept, "statistic", "threshold", "is_alarm", "is_warning")}

    def restore(self, kept: dict[str, Any]) -> None:
        for name in (*self.kept, "statistic", "threshold", "is_alarm", "is_warning"):
            value = kept[name]
            setattr(self, name, tuple(value) if isinstance(value, list) else value)

    @classmethod
    def example(cls) -> "ClassicDetector":
        return cls()
