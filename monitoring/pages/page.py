"""One page: a template, what it shows, and its charts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .chart import Chart
from .span import Span


@dataclass(frozen=True)
class Page:
    """`template` lies in templates/; `context` is what it names; `charts` makes the charts that its JSON holds; `span`
    is the time that it shows where that is not the one it was asked for."""

    title: str
    template: str
    context: Mapping[str, Any]
    charts: Callable[[], Mapping[str, Chart]] = dict
    span: Span | None = None


class NotThere(LookupError):
    """What the URL names is not there; the text says what is."""
