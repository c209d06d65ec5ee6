"""The life of a trigger in a worker."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from ..handler import Handler


class BaseTrigger(ABC):
    """prepare, start, (stop, stopped), close. `ack` takes the SDK's explicit acknowledgements, where there are any."""

    ack: Callable[[dict[str, Any]], Awaitable[None]] | None = None

    @abstractmethod
    async def prepare(self, handler: Handler) -> None:
        """Get ready for `start` without touching what an older worker may still use."""

    @abstractmethod
    async def start(self) -> None:
        """Begin to send events to the handler; return at once."""

    @abstractmethod
    def stop(self) -> None:
        """Take nothing new and finish what is under way. Called again: do not wait for idle clients."""

    @abstractmethod
    async def stopped(self) -> None:
        """Return when `stop` was called and no event is in the handler any more."""

    def close(self) -> None:  # noqa: B027  nothing to release is a right answer
        """Commit and release; the function's termination callback, which may still acknowledge, has run."""
