"""The overview: every endpoint, worst first."""

from collections.abc import Mapping

from .page import Page
from .plumbing import plumbing
from .source import Source
from .span import Span
from .standing import standings


def overview(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """All endpoints in a span."""
    context = {"standings": standings(source, span), "plumbing": plumbing(source)}
    return Page("Overview", "overview.html", context)
