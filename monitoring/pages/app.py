"""The dashboard as an ASGI application: pages, their JSON, downloads, and the form that decides on an incident."""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from leeway.clock import Clock, SystemClock
from leeway.errors import LeewayError
from leeway.settings import Settings

from . import render
from .cache import AnswerCache, Kept
from .compare import compare
from .endpoint import endpoint
from .guard import Guard, is_loopback
from .incident import incident, incident_called
from .incident_rows import as_csv, as_parquet, incident_rows
from .overview import overview
from .page import NotThere, Page
from .requests import requests
from .source import Source
from .span import BadSpan, Span
from .system import system

COOKIE = "leeway-form"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{24}")
_PAGES: dict[str, Callable[[Source, Mapping[str, str], Span], Page]] = {
    "overview": overview, "endpoint": endpoint, "incident": incident, "compare": compare, "requests": requests,
    "system": system,
}  # fmt: skip
_CHANGES_BY_ITSELF = ("overview", "system")  # not only when something is committed
_TICK_S = 5
_MOST_NOTE = 2_000
_DECISIONS = ("confirm", "dismiss")

Decide = Callable[[str, str, str], object]


def create_app(settings: Settings, decide: Decide, clock: Clock | None = None) -> Starlette:
    """`decide(incident id, "confirm" or "dismiss", note)` records a decision; LeewayError where it cannot."""
    render.prepare()
    dashboard = Dashboard(Source(settings, clock or SystemClock()), decide)
    routes = [Route("/", dashboard.page("overview"))]
    for name in _PAGES:
        routes += [Route(f"/{name}", dashboard.page(name)), Route(f"/{name}.json", dashboard.json(name))]
    routes += [
        Route("/incident", dashboard.decided, methods=["POST"]),
        Route("/incident.parquet", dashboard.download(as_parquet, "parquet", "application/vnd.apache.parquet")),
        Route("/incident.csv", dashboard.download(as_csv, "csv", "text/csv; charset=utf-8")),
        Route("/static/{name}", dashboard.static),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={404: dashboard.no_page},
    )
    app.state.close = dashboard.source.close
    return app


class Dashboard:
    """The endpoints of the application, over one source."""

    def __init__(self, source: Source, decide: Decide):
        self.source, self._decide, self._cache = source, decide, AnswerCache(source.clock, time.process_time)
        self._place = secrets.token_urlsafe(18)  # stands for the token of the form in kept pages

    def page(self, name: str) -> Callable:
        async def show(request: Request) -> Response:
            query = dict(request.query_params)

            def make(span: Span) -> Kept:
                made = _PAGES[name](self.source, query, span)
                return Kept(200, render.html(made, name, span, query, self._place))

            return self._with_form_token(request, self._answer(request, name, name in _CHANGES_BY_ITSELF, make))

        return show

    def _with_form_token(self, request: Request, answer: Response) -> Response:
        """Kept pages are everybody's; the token of the form is the caller's own."""
        token, known = request.cookies.get(COOKIE, ""), True
        if not _TOKEN.fullmatch(token):
            token, known = secrets.token_urlsafe(18), False
        if answer.status_code == 200:
            answer = Response(
                answer.body.replace(self._place.encode(), token.encode()), 200, {
                    "etag": answer.headers["etag"], "cache-control": answer.headers["cache-control"],
                }, "text/html",
            )  # fmt: skip
        if not known:
            answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return answer

    def json(self, name: str) -> Callable:
        async def show(request: Request) -> Response:
            query = dict(request.query_params)

            def make(span: Span) -> Kept:
                return Kept(200, render.json(_PAGES[name](self.source, query, span), span, query))

            return self._answer(request, f"{name}.json", name in _CHANGES_BY_ITSELF, make, "application/json")

        return show

    def download(self, encode: Callable, ending: str, kind: str) -> Callable:
        async def give(request: Request) -> Response:
            def make(span: Span) -> Kept:
                found = incident_called(self.source, request.query_params.get("id", ""))
                rows = incident_rows(self.source, found, self.source.watched()[found.endpoint].key)
                return Kept(200, encode(rows))

            answer = self._answer(request, f"incident.{ending}", False, make, kind)
            if answer.status_code == 200:
                answer.headers["content-disposition"] = f'attachment; filename="incident-rows.{ending}"'
            return answer

        return give

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            body = render.static(name)
        except KeyError:
            return self._failed(request, 404, "there is no such file", "text/html")
        return Response(body, 200, {"cache-control": "public, max-age=86400"}, render.STATIC[name])

    async def no_page(self, request: Request, error: Exception) -> Response:
        return self._failed(request, 404, "there is no such page", "text/html")

    async def decided(self, request: Request) -> Response:
        """A person confirms or dismisses an incident: by the form of its page, and with the token off this machine."""
        given = {name: values[-1] for name, values in parse_qs((await request.body()).decode(errors="replace")).items()}
        if refusal := self._refusal(request, given):
            return self._failed(request, 403, refusal, "text/html")
        if given.get("decision") not in _DECISIONS:
            return self._failed(request, 400, "a decision is confirm or dismiss", "text/html")
        try:
            found = incident_called(self.source, given.get("id", ""))
            self._decide(found.id, given["decision"], given.get("note", "")[:_MOST_NOTE])
        except NotThere as error:
            return self._failed(request, 404, str(error), "text/html")
        except LeewayError as error:
            return self._failed(request, 503, str(error), "text/html")
        return RedirectResponse(f"incident?id={found.id}&decided={given['decision']}", 303)

    def _refusal(self, request: Request, given: Mapping[str, str]) -> str:
        """Why a decision is not taken; empty where it is."""
        cookie, settings = request.cookies.get(COOKIE, ""), self.source.settings
        if "origin" not in request.headers or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "decisions are taken from the page of the incident only"
        if not cookie or not _equal(cookie, given.get("form", "")):
            return "the form is not the one that this dashboard gave out: open the incident again"
        if is_loopback(request.headers.get("host", ""), settings):
            return ""
        if not settings.dashboard_token:
            return "no decision is taken over the network until LEEWAY_DASHBOARD_TOKEN is set"
        return "" if _equal(settings.dashboard_token, given.get("token", "")) else "the token is not the right one"

    def _answer(
        self, request: Request, name: str, by_itself: bool, make: Callable[[Span], Kept], kind: str = "text/html"
    ) -> Response:
        """The kept answer, a new one, 304 where the caller has it, or a page that says what went wrong."""
        try:
            now = int(self.source.clock.now())
            span = Span.of(request.query_params, now)
            query = f"{name}?{request.url.query}"

            def tag() -> str:
                tick = now // _TICK_S if by_itself else 0
                rests_on = f"{query} {span.start} {span.end} {tick} {self.source.position()}"
                return f'"{hashlib.blake2b(rests_on.encode(), digest_size=12).hexdigest()}"'

            found = self._cache.get(query, tag, lambda: make(span))
            headers = {"etag": found.tag, "cache-control": "private, no-cache"}
            if request.headers.get("if-none-match") == found.tag:
                return Response(None, 304, headers)
            return Response(found.kept.body, found.kept.status, headers, kind)
        except BadSpan as error:
            return self._failed(request, 400, str(error), kind)
        except NotThere as error:
            return self._failed(request, 404, str(error), kind)
        except LeewayError as error:
            return self._failed(request, 503, str(error), kind)

    def _failed(self, request: Request, status: int, reason: str, kind: str) -> Response:
        span = Span.of({}, int(self.source.clock.now()))
        page = Page(f"{status}", "error.html", {"status": status, "reason": reason})
        if kind == "application/json":
            return Response(render.json(page, span, {}), status, media_type=kind)
        return Response(render.html(page, "error", span, {}, ""), status, media_type="text/html")


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
