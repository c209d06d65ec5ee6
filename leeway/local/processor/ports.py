"""The ports of a function that listens on them itself."""

from collections.abc import Mapping

from leeway.errors import PlatformError

from ..function_spec import FunctionSpec
from ..listeners import asked_port, listen


class Ports:
    """By trigger, as Listeners: a port stays the same as long as nobody else took it."""

    def __init__(self, ports: Mapping[str, int]):
        self.ports = dict(ports)
        self._held: dict[str, int] = {}

    @property
    def open(self) -> list[int]:
        return list(self._held.values())

    def resume(self) -> None:
        """Those of last time are ours: a processor may live on them."""
        self._held = dict(self.ports)

    def plan(self, spec: FunctionSpec) -> dict[str, int]:
        """PlatformError where a port is taken."""
        triggers = [trigger for trigger in spec.triggers if trigger.kind == "http"]
        spare = [name for name in self._held if name not in {trigger.name for trigger in triggers}]
        planned: dict[str, int] = {}
        for trigger in triggers:
            name = trigger.name if trigger.name in self._held or not spare else spare.pop()
            held, asked = self._held.get(name), asked_port(trigger)
            planned[trigger.name] = held if held and asked in (0, held) else self._free(trigger.name, asked)
        return planned

    def hold(self, planned: Mapping[str, int]) -> None:
        self._held = dict(planned)
        self.ports |= planned

    def forget(self, planned: Mapping[str, int]) -> None:
        """A plan that came to nothing bound nothing."""

    def _free(self, name: str, asked: int) -> int:
        for port in (asked or self.ports.get(name, 0), 0):
            try:
                with listen(port) as listener:
                    return listener.getsockname()[1]
            except OSError as exc:
                if asked:
                    raise PlatformError(
                        f"port {asked} of trigger {name!r} cannot be used: {exc.strerror}; stop the program that has "
                        f"it, or give triggers.{name}.attributes.port another number (none: a free one is chosen)"
                    ) from None
        raise PlatformError("no port of the loopback is free")
