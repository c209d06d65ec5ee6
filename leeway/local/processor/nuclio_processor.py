"""Where a Nuclio processor lies on this machine, and which triggers it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from leeway.errors import PlatformError
from leeway.settings import Settings

from ..function_spec import Trigger
from .kafka_trigger import topic_of


@dataclass(frozen=True)
class NuclioProcessor:
    """`binary` is Nuclio's processor, `wrapper` its Python wrapper."""

    binary: Path
    wrapper: Path

    @classmethod
    def of(cls, settings: Settings) -> "NuclioProcessor | None":
        """None where NUCLIO_PROCESSOR is not set: Leeway's own workers run everything then."""
        if not settings.nuclio_processor:
            return None
        return cls(Path(settings.nuclio_processor).absolute(), Path(settings.nuclio_wrapper).absolute())

    def check(self) -> None:
        """PlatformError names what is not there."""
        for variable, path in (("NUCLIO_PROCESSOR", self.binary), ("NUCLIO_PYTHON_WRAPPER_PATH", self.wrapper)):
            if not path.is_file():
                raise PlatformError(f"{variable} names {str(path)!r}, which is no file: correct it, or unset both")
        if find_spec("msgpack") is None:
            raise PlatformError("Nuclio's Python wrapper needs msgpack: install Leeway with its extra 'processor'")

    def share(self, triggers: Iterable[Trigger], settings: Settings) -> tuple[Trigger, ...]:
        """The triggers that the processor runs: http, cron, and Kafka from either end of its topic. An embedded
        stream, one of V3IO's, or a start at a time stays with Leeway's own workers. `settings` are the function's."""
        return tuple(
            trigger
            for trigger in triggers
            if trigger.kind in ("http", "cron") or topic_of(trigger, settings) is not None
        )
