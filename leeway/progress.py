"""Progress of a long piece of work, told through logging: whoever runs the work decides how it is shown.

The logger is `leeway.progress`; each of its records carries the Progress as `record.progress`. Without a handler that
wants them nothing is shown, and telling costs next to nothing.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LOGGER_NAME = "leeway.progress"


@dataclass(frozen=True)
class Progress:
    """How far a step is. `total` is None where that is not known; `seconds` says that the step ended, and how long it
    took."""

    step: str
    done: int = 0
    total: int | None = None
    seconds: float | None = None


def tell(step: str, done: int = 0, total: int | None = None, seconds: float | None = None) -> None:
    """Tell whoever listens how far a step is."""
    extra = {"progress": Progress(step, done, total, seconds)}
    logging.getLogger(LOGGER_NAME).info("%s %d", step, done, extra=extra)


@dataclass
class Steps:
    """Times the steps of a workflow; `seconds` holds how long each took that is over, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what happens inside as the step `name`; of one that fails no end is told."""
        tell(name)
        begin = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begin, 3)
        tell(name, seconds=self.seconds[name])
