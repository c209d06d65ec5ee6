"""The listening sockets of one function: bound once, handed from worker to worker, never bound twice."""

import socket
from collections.abc import Mapping

from leeway.errors import PlatformError

from .function_spec import FunctionSpec, Trigger

_BACKLOG = 2048


class Listeners:
    """By trigger. `ports` are those that were used before: a port stays the same as long as it is free."""

    def __init__(self, ports: Mapping[str, int]):
        self.ports = dict(ports)
        self._sockets: dict[str, socket.socket] = {}

    def plan(self, spec: FunctionSpec) -> dict[str, socket.socket]:
        """The sockets that a version needs: held ones, and new ones. PlatformError where a port is taken."""
        planned: dict[str, socket.socket] = {}
        triggers = [trigger for trigger in spec.triggers if trigger.kind == "http"]
        # An address outlives a trigger's name: sockets of triggers that are no more serve new ones.
        spare = [name for name in self._sockets if name not in {trigger.name for trigger in triggers}]
        try:
            for trigger in triggers:
                name = trigger.name if trigger.name in self._sockets or not spare else spare.pop()
                planned[trigger.name] = self._held(name, asked_port(trigger)) or self._bind(trigger)
        except PlatformError:
            self.forget(planned)
            raise
        return planned

    @property
    def open(self) -> list[int]:
        """The ports that are listened on."""
        return [listener.getsockname()[1] for listener in self._sockets.values()]

    def take(self, trigger: str, listener: socket.socket) -> None:
        """Hold a socket that came from a living worker."""
        self._sockets[trigger] = listener

    def hold(self, planned: Mapping[str, socket.socket]) -> None:
        """From now on these are the function's; others are closed here (a draining worker has its own copy)."""
        for listener in set(self._sockets.values()) - set(planned.values()):
            listener.close()
        self._sockets = dict(planned)
        self.ports |= {name: listener.getsockname()[1] for name, listener in planned.items()}

    def forget(self, planned: Mapping[str, socket.socket]) -> None:
        """Close the new ones of a plan that came to nothing."""
        for listener in set(planned.values()) - set(self._sockets.values()):
            listener.close()

    def _held(self, name: str, asked: int) -> socket.socket | None:
        held = self._sockets.get(name)
        return held if held is not None and asked in (0, held.getsockname()[1]) else None

    def _bind(self, trigger: Trigger) -> socket.socket:
        asked = asked_port(trigger)
        try:
            return listen(asked or self.ports.get(trigger.name, 0))
        except OSError as exc:
            if not asked:
                return listen(0)
            raise PlatformError(
                f"port {asked} of trigger {trigger.name!r} cannot be used: {exc.strerror}; stop the program that has "
                f"it, or give triggers.{trigger.name}.attributes.port another number (none: a free one is chosen)"
            ) from None


def asked_port(trigger: Trigger) -> int:
    """The port that the document asks for, 0 where it asks for none."""
    return int(trigger.attributes.get("port") or 0)


def listen(port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
