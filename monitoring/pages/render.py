"""Pages as HTML and as the JSON that keeps an open one up to date; everything is escaped unless it is a template."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from . import numbers
from .features import FeatureView
from .page import Page
from .span import RANGES, Span

STATIC = {
    "app.js": "text/javascript", "uplot.js": "text/javascript", "style.css": "text/css", "uplot.css": "text/css",
    "icon.svg": "image/svg+xml",
}  # fmt: skip
_TEMPLATES = (
    "base", "compare", "endpoint", "error", "incident", "macros", "overview", "request", "requests", "system",
)  # fmt: skip
_NAVIGATION = (
    ("overview", "./", "Overview"), ("requests", "requests", "Requests"), ("compare", "compare", "Compare"),
    ("system", "system", "System"),
)  # fmt: skip


def html(page: Page, name: str, span: Span, query: Mapping[str, str], form_token: str) -> bytes:
    """The whole document; `name` is its page's in the URL."""
    shown = {key: value for key, value in query.items() if key not in ("range", "from", "to")}
    live, span = f"{name}.json?{urlencode(query)}", page.span or span
    return (
        _environment()
        .get_template("base.html")
        .render(
            page=page, name=name, span=span, ranges=RANGES, shown=shown, live=live, navigation=_NAVIGATION,
            query=query, form_token=form_token, asset=asset, **page.context,
        )
        .encode()
    )  # fmt: skip


def json(page: Page, span: Span, query: Mapping[str, str]) -> bytes:
    """{main: HTML of what is between the page's head and foot, charts: {name: ...}}."""
    template = _environment().get_template(page.template)
    main = template.render(page=page, span=page.span or span, query=query, form_token="", **page.context)
    charts = {name: chart.to_json() for name, chart in page.charts().items()}
    return msgspec.json.encode({"main": main, "charts": charts})


def small_multiples(views: Sequence[FeatureView]) -> Markup:
    """The features' histograms and what is said of each."""
    return Markup(_environment().get_template("macros.html").module.features(views))


@cache
def static(name: str) -> bytes:
    """A file of the page's own; KeyError where there is none of that name."""
    if name not in STATIC:
        raise KeyError(name)
    return _read(f"static/{name}").encode()


@cache
def asset(name: str) -> str:
    """The relative URL of a static file, another one for other content."""
    return f"static/{name}?v={hashlib.blake2b(static(name), digest_size=6).hexdigest()}"


def prepare() -> None:
    """Compile the templates, so that the first page need not."""
    for name in _TEMPLATES:
        _environment().get_template(f"{name}.html")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _read(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    n = numbers
    for each in (n.number, n.percent, n.duration, n.moment, n.size, n.chance, n.instant, n.since):
        environment.filters[each.__name__] = each
    environment.filters["text"] = _text
    return environment


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _read(path: str) -> str:
    return files(__package__).joinpath(path).read_text(encoding="utf-8")
