import re

import msgspec
import pyarrow as pa
import pytest

from monitoring.history import history_of
from monitoring.reconciliation import Reconciliation
from monitoring.report_of import report_of
from monitoring.story import story_of
from monitoring.summary import summary_of

ENDPOINT = "shop/server/a/default/a/v1"


def report(run, **changed):
    found = Reconciliation.since(run.begin, run.settings, run.queries)
    history = history_of(run.queries, ENDPOINT, run.begin, {"it begins": 1_200})
    n = found.recorded["prediction"]
    summary = summary_of({"sent": n, "answered": n}, found.recorded["feedback"], found, history.verdicts, lambda _: 0)
    summary |= {"endpoints": {"a": "http://127.0.0.1:1/a"}, "paths": {"home": "/h"}, "versions": {"leeway": "0"}}
    return report_of(run.settings, run.queries, history, summary | changed)


@pytest.fixture
def page(drifted):
    return report(drifted).page()


def test_the_page_says_what_happened_with_rows_and_dates(page):
    assert "raised its first alarm" in page
    assert "demand from 20 February 2026" in page
    assert "Everything adds up" in page


def test_the_page_says_what_moved_how_sure_that_is_and_what_more_would_cost(page):
    assert "Those rows had moved as well, in demand" in page
    assert "In demand values moved as a whole and 100.0% of values lay beyond the training range" in page
    assert "by chance that happens less than once in" in page
    assert "The price of this is one false alarm in 100 windows; ten times as sensitive" in page
    assert "one such alarm comes in 2,000 labelled rows" in page
    assert "rows that contribute most" in page


def test_the_page_asks_for_nothing_from_elsewhere(page):
    urls = re.findall(r"(?:src|href)=\"([^\"]*)\"|url\(([^)]*)\)|@import", page)
    assert all((a or b).startswith("#") for a, b in urls)
    assert "<script" not in page


def test_charts_leave_their_colours_to_the_page(page):
    assert "var(--line)" in page and "var(--alarm)" in page
    assert not re.search(r"#0[1-7]0[1-7]0[1-7]", page)


def test_only_features_that_moved_are_compared_with_training(drifted):
    made = report(drifted)
    assert {found.feature for found in made.strongest} == {
        name for verdict in made.history.windows for name in verdict.features
    }
    demand = next(found for found in made.strongest if found.feature == "demand")
    assert len(demand.values) == 200 and min(demand.values) >= 2


def test_names_cannot_bring_html_into_the_page(drifted):
    hostile = "<script>alert(1)</script>"
    made = report(drifted, endpoints={hostile: hostile}, paths={hostile: hostile})
    verdict = msgspec.structs.replace(made.history.alarms[-1], features=[hostile])
    object.__setattr__(made.history, "verdicts", (*made.history.verdicts, verdict))
    assert "<script" not in made.page()


def test_what_does_not_add_up_is_said(drifted):
    assert "Everything adds up" not in report(drifted, lost=3).page()
    assert "records lost: 3" in report(drifted, lost=3).page()


def test_a_deployment_without_labels_and_windows_has_a_page_too(run, maker):
    maker.predict("a", "run-00000")
    run.take(maker)
    assert "Too few labels came" in report(run).page()


def test_truth_that_came_too_late_is_told(drifted):
    made = report(drifted)
    assert made.late.rows == 0 and "came too late" not in made.page()
    told = {"endpoint_id": [ENDPOINT] * 3, "output": [1, 0, 1], "truth": ["1", "1", "1"], "row": [0, 0, 0]}
    table = pa.table({**told, "shard": [0, 0, 0], "offset": [1, 2, 3], "index": [0, 0, 0]})
    drifted.reader.archive.write("late_truth", "shop/server/a", "2026-11-24", "late-truth", table)
    page = report(drifted).page()
    assert "Truth of 3 rows came too late for the detectors: 1 of these answers were wrong (33.3%)." in page


def test_what_was_deployed_before_is_told(run, maker):
    for i in range(300):
        version = "v1" if i < 200 else "v2"
        maker.predict("a", f"p{i}", endpoint_id=f"shop/server/a/default/a/{version}")
    run.take(maker)
    told = story_of(history_of(run.queries, "shop/server/a/default/a/v2"))
    assert "Version v2 took over from v1 on 24 November 2026" in told
    assert "took over" not in story_of(history_of(run.queries, ENDPOINT))
