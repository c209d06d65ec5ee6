"""The functions that the platform runs, as the pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .source import Source

_SERVES = ("ready", "scaledToZero")  # the latter is started by the next request


@dataclass(frozen=True)
class FunctionView:
    """One function as Nuclio's dashboard tells it."""

    name: str
    state: str
    message: str
    addresses: list[str]
    workers: list[Any]

    @property
    def is_up(self) -> bool:
        return self.state in _SERVES


def functions(source: Source) -> tuple[list[FunctionView], str]:
    """The functions, and why they are not known where they are not."""
    found, trouble = source.functions()
    return [_function(name, about) for name, about in sorted(found.items())], trouble


def _function(name: str, about: Mapping[str, Any]) -> FunctionView:
    status = about.get("status") or {}
    addresses = [f"http://{address}" for address in status.get("externalInvocationUrls") or []]
    return FunctionView(
        name, status.get("state", ""), status.get("message", ""), addresses, status.get("workers") or []
    )
