"""The overview: whether everything is up, and every endpoint, worst first."""

from collections.abc import Mapping

from .functions import functions
from .page import Page
from .plumbing import plumbing
from .source import Source
from .span import Span
from .sparklines import sparklines
from .standing import standings


def overview(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """All endpoints in a span."""
    found, trouble = functions(source)
    stand = standings(source, span)
    lines = [sparklines(source, span, each.endpoint, each.level.level if each.level else None) for each in stand]
    return Page(
        "Overview",
        "overview.html",
        {
            "standings": stand,
            "sparklines": lines,
            "plumbing": plumbing(source),
            "functions": found,
            "trouble": trouble,
        },
    )
