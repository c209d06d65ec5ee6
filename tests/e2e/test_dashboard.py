"""The dashboard in a browser, with a model server, a stream and a drift function at work behind it."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import joblib
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect
from sklearn.linear_model import LinearRegression

from leeway.traffic.client import Client
from monitoring.queries import Queries
from tests.averaged import averaged
from tests.until import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"
PAGES = ("overview", "endpoint", "concept", "data", "requests", "request", "nodes", "compare", "system")
DARK = ("overview", "endpoint", "concept", "compare", "nodes")
VIEWS = [("light", 1280, (*PAGES, "bare")), ("dark", 1280, DARK), ("light", 360, PAGES)]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Site:
    """What is deployed, and who answered there."""

    laptop: Any
    address: str
    dashboard: str
    incidents: dict[str, str]
    endpoint: str
    live: str
    shadow: str
    functions: int

    def url(self, page: str) -> str:
        endpoint, live, shadow = (quote(each, safe="") for each in (self.endpoint, self.live, self.shadow))
        return self.dashboard + {
            "overview": "",
            "endpoint": f"endpoint?name={endpoint}&range=15m",
            "concept": f"incident?id={self.incidents['concept_drift']}",
            "data": f"incident?id={self.incidents['data_drift']}",
            "requests": "requests",
            "request": "requests?id=row-1500",
            "nodes": "requests?id=press-7",
            "bare": f"endpoint?name={live}",
            "compare": f"compare?a={live}&b={shadow}",
            "system": "system",
        }.get(page, page)


@pytest.fixture(scope="module")
def site(mill: Any, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The mill's pages, after everything that it was sent, and those of a press beside it."""
    mill.send()
    mill.settle()
    press(mill.laptop, tmp_path_factory.mktemp("press"))
    up = json.loads(mill.laptop.run("up", "--json"))
    with Queries(mill.laptop.settings) as queries:
        incidents = {incident.detector: incident.id for incident in queries.incidents()}
        endpoint, live, shadow = (
            next(name for name in queries.endpoints() if name.startswith(f"models/{begin}/"))
            for begin in ("mill/mill", "press/press/main", "press/press/next")
        )
    return Site(mill.laptop, mill.address, up["dashboard"], incidents, endpoint, live, shadow, len(up["functions"]))


def press(laptop: Any, folder: Path) -> None:
    """Deploy it, ask it, and wait until what it and its shadow said is consumed."""
    draw = np.random.default_rng(2)
    rows = draw.normal(size=(100, 2))  # as many as may wait for the shadow, however late it is
    for name, factor in (("one", 1.0), ("two", 1.2), ("three", 1.5)):
        joblib.dump(LinearRegression().fit(rows, factor * rows[:, 0]), folder / f"{name}.pkl")
    (folder / "press.yaml").write_text(averaged("press", "one.pkl", "two.pkl", shadow="three.pkl"))
    (deployed,) = json.loads(laptop.run("apply", "-f", str(folder / "press.yaml"), "--json"))
    with httpx.Client(base_url=deployed["url"], timeout=60) as client:
        for i, row in enumerate(rows.tolist()):
            body = {"id": f"press-{i}", "instances": [row]}
            headers = {"traceparent": f"00-{TRACE}-{i + 1:016x}-01"}
            assert client.post("/press/predict", json=body, headers=headers).status_code == 200
    with Queries(laptop.settings) as queries:
        until(lambda: queries.counts("models/press/press")["predictions"]["rows"] >= 2 * len(rows), "all of the stream")


@pytest.fixture
def look(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page and wait until it is live; at the end nothing may have gone wrong in it."""
    subprocess.run([str(ROOT / ".ci/fetch_axe.sh")], check=True)
    wrong: list[str] = []
    opened = []

    def open_page(name: str, scheme: str = "light", width: int = 1280) -> Page:
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        context.add_init_script(path=ROOT / "build/axe-core/package/axe.min.js")
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: _aborted(request) or wrong.append(f"{request.url}: {request.failure}"))
        page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.url}: {answer.status}"))
        opened.append(context)
        page.goto(site.url(name))
        expect(page.locator("#live")).to_have_text("live")
        return page

    yield open_page
    for context in opened:
        context.close()
    assert wrong == []


def _aborted(request: Any) -> bool:
    """Whether the page was left while it asked for news."""
    return request.failure == "net::ERR_ABORTED"


@pytest.mark.parametrize(
    ("scheme", "width", "name"), [(scheme, width, name) for scheme, width, pages in VIEWS for name in pages]
)
def test_every_page_works_fits_and_keeps_nobody_out(look, scheme, width, name):
    page = look(name, scheme, width)
    for chart in page.locator("[data-chart]").all():
        expect(chart.locator("canvas, .none").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "wider than the screen"
    if width > 360:  # the same text in the same colours; in the dark only those are others
        found = page.evaluate("axe.run({runOnly: ['color-contrast']})" if scheme == "dark" else "axe.run()")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)


def test_charts_show_the_drift(look):
    page = look("endpoint")
    for chart in ("errors", "concept", "requests", "latency", "answers", "labels", "label_lag", "data"):
        expect(page.locator(f"[data-chart={chart}] canvas")).to_be_visible()
    features = page.locator(".feature h3").all_inner_texts()
    assert features[0] == "load" and set(features) == {"speed", "load", "heat", "prediction"}
    assert page.locator(".feature.moved").count() >= 1


def test_every_node_of_a_request_and_its_trace_are_shown(look):
    page = look("nodes")
    live = page.locator("section", has=page.get_by_role("heading", name="press/main"))
    assert live.locator(".cards tbody th").all_inner_texts() == ["one", "two", "mean"]
    expect(live.get_by_text(TRACE)).to_be_visible()
    expect(page.get_by_text("shadow of main")).to_be_visible()


def test_the_rows_on_which_a_shadow_disagrees_come_largest_first(look):
    page = look("compare")
    shown = page.locator("#disagreements tbody tr td:last-child").all_inner_texts()
    apart = [float(text) for text in shown]
    assert len(apart) == 50 and apart == sorted(apart, reverse=True) and apart[0] > 0.5


def test_a_request_is_on_the_screen_within_four_seconds(look, site):
    page = look("requests")
    with Client(site.address) as client:
        assert client.post("/mill/predict", {"id": "just-now", "instances": [[0.1, 0.2, 0.3]]}).is_ok
    expect(page.locator("#found").get_by_text("just-now", exact=True)).to_be_visible(timeout=4_000)


def test_the_url_of_a_page_shows_a_colleague_the_same(look, site):
    page = look("endpoint")
    page.get_by_role("link", name="hold").click()
    expect(page.locator("#live")).to_have_text("live")
    assert "from=" in page.url and "to=" in page.url
    other = look(page.url.removeprefix(site.dashboard))
    assert other.locator(".time .quiet").inner_text() == page.locator(".time .quiet").inner_text()
    assert other.locator("h1").inner_text() == page.locator("h1").inner_text()


def test_a_chart_is_walked_and_zoomed_by_keyboard(look):
    page = look("endpoint")
    chart = page.locator("[data-chart=requests]")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator(".u-legend .u-value").first).to_have_text("newest")
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(chart.locator(".u-legend .u-value").first).to_have_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "from=" in page.url
    expect(page.locator("#live")).to_have_text("live")


def test_the_overview_says_what_is_up_and_what_moved(look, site):
    page = look("overview")
    expect(page.get_by_role("link", name=f"{site.functions} of {site.functions}")).to_be_visible()
    expect(page.locator(".verdict.alarm")).to_contain_text("1 of 3 endpoints need a look")
    first = page.locator("#endpoints tbody tr").first
    expect(first).to_contain_text("mill/mill/default")
    assert first.get_by_role("link", name="open").count() == 2 and first.locator("svg.spark path").count() == 5


def test_links_are_reached_by_the_tab_key(look):
    page = look("overview")
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.innerText"))
    assert {"To the content", "Overview", "System", "24h"} <= reached


def test_rows_of_an_incident_are_sorted_turned_and_downloaded(look):
    page = look("data")
    page.get_by_role("link", name="load", exact=True).click()
    first = page.locator("#rows tbody tr").first
    expect(first).to_be_visible()
    page.get_by_role("link", name="next").click()
    expect(page.get_by_text("page 2 of")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Parquet").click()
    assert pd.read_parquet(download.value.path()).shape[0] == 1_000
