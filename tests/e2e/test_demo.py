"""The demo as a user runs it."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from monitoring.queries import Queries
from monitoring.summary import differences

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PUBLIC_KEYS = {
    "requests", "predictions", "feedback", "dropped", "lost", "dead_lettered", "alarms", "endpoints", "paths",
    "versions", "seconds",
}  # fmt: skip
VICTORIA = {"vicprice", "vicdemand", "transfer"}
VICTORIA_FROM, TRAINED = 17_424, 8_064
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"


def found(summary):
    """Alarms but for when they were."""
    return [{**alarm, "appended": None, "endpoint": None} for alarm in summary["alarms"]]


def test_two_short_demos_add_up_each_by_itself_and_find_the_same(laptop, unchanged):
    shown = laptop.run("demo", "--rows", "6000")
    first = laptop.summary
    laptop.run("demo", "--rows", "6000")
    second = laptop.summary
    assert set(first) == PUBLIC_KEYS
    for summary in (first, second):
        assert differences(summary) == []
        assert summary["predictions"]["rows"] == summary["feedback"]["joined"] == 6_000
        assert summary["requests"]["answered"] == 6_000 + summary["predictions"]["test"]
    assert found(first) == found(second) == []  # these rows are those that the model was trained on
    assert "everything adds up" in shown and "leeway down" in shown
    unchanged()


def test_a_demo_after_ctrl_c_counts_nothing_of_the_one_before(laptop):
    code, shown = laptop.interrupt_at("replay: ", "demo", "--rows", "30000")  # still at it when it is told to stop
    assert code == 130, shown
    laptop.run("demo", "--rows", "6000")
    assert differences(laptop.summary) == []
    assert laptop.summary["predictions"]["rows"] == laptop.summary["feedback"]["joined"] == 6_000


@pytest.fixture(scope="module")
def whole(shared_laptop):
    """The summary of the whole demo."""
    shared_laptop.run("demo")
    return shared_laptop.summary


def test_the_whole_stream_adds_up(whole):
    assert differences(whole) == []
    assert whole["predictions"]["rows"] == whole["feedback"]["joined"] == 45_312
    assert whole["lost"] == whole["dropped"] == whole["dead_lettered"] == 0


def test_no_alarm_in_the_rows_that_the_model_comes_from(whole):
    assert [alarm for alarm in whole["alarms"] if alarm["rows"][0] < TRAINED] == []


def test_the_concept_drift_of_elec2_is_found(whole):
    concept = [alarm for alarm in whole["alarms"] if alarm["kind"] == "concept_drift"]
    assert TRAINED < concept[0]["rows"][1] < 24_000


def test_the_features_that_begin_to_move_are_named_when_they_do_and_not_before(whole):
    data = [alarm for alarm in whole["alarms"] if alarm["kind"] == "data_drift"]
    early = [alarm for alarm in data if alarm["rows"][1] < VICTORIA_FROM]
    assert not any(VICTORIA & set(alarm["features"]) for alarm in early)
    soon = [alarm for alarm in data if VICTORIA_FROM <= alarm["rows"][1] < VICTORIA_FROM + 2_000]
    assert any(set(alarm["features"]) >= VICTORIA for alarm in soon)


@pytest.fixture
def pages(whole, shared_laptop, browser):
    """A function that opens a page of the dashboard as it is after the demo; the pictures stay in build/screenshots."""
    address = json.loads(shared_laptop.run("up", "--json"))["dashboard"]
    opened = []

    def open_page(name, path, scheme):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 720})
        opened.append(context)
        page = context.new_page()
        page.goto(address + path)
        expect(page.locator("#live")).to_have_text("live")
        for chart in page.locator("[data-chart]").all():
            expect(chart.locator("canvas, .none").first).to_be_visible()
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"demo-{name}.png", full_page=True)
        return page

    yield open_page
    for context in opened:
        context.close()


def test_the_dashboard_shows_what_the_summary_and_the_stores_say(whole, shared_laptop, pages):
    with Queries(shared_laptop.settings) as queries:
        (endpoint,), incidents = queries.endpoints(), queries.incidents()
        seconds = [point.bucket for point in queries.series("requests", endpoint)]
    time = f"from={min(seconds) - 5}&to={max(seconds) + 10}"
    overview = pages("overview", f"?{time}", "light")
    tiles = dict(
        zip(overview.locator("#plumbing dt").all_inner_texts(), overview.locator("#plumbing dd").all_inner_texts())
    )
    counted, joined = whole["predictions"]["counted"], whole["feedback"]["joined"]
    assert (tiles["predictions counted"], tiles["rows with truth"]) == (f"{counted:,}", f"{joined:,}")
    assert (tiles["dropped, lost"], tiles["dead letters"]) == ("0, 0", "0")
    row = overview.locator("#endpoints tbody tr")
    expect(row).to_contain_text(f"{whole['requests']['answered']:,} in all")
    expect(row).to_contain_text(f"{joined:,} of {counted:,}")
    page = pages("endpoint", f"endpoint?name={quote(endpoint, safe='')}&{time}", "dark")
    assert page.locator("#incidents a").count() == len(incidents)
    first = {alarm["detector"]: alarm for alarm in reversed(whole["alarms"])}
    opened = [each for each in incidents if each.opened.appended == first[each.detector]["appended"]]
    assert {each.detector for each in opened} == set(first)
    for incident in opened:
        shown = page.locator("#incidents li", has=page.locator(f'a[href*="{incident.id}"]'))
        expect(shown).to_contain_text(", ".join(first[incident.detector]["features"]))


def test_the_report_needs_no_network(whole, shared_laptop):
    page = (shared_laptop.home / "demo" / "report.html").read_text()
    assert "src=" not in page and "href=" not in page.replace('xlink:href="#', "") and "@import" not in page
    for word in ("CUSUM statistic", "vicprice", "threshold", "Everything adds up"):
        assert word in page
