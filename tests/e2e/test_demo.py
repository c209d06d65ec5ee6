"""The demo as a user runs it."""

import pytest

from monitoring.summary import differences

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PUBLIC_KEYS = {
    "requests", "predictions", "feedback", "dropped", "lost", "dead_lettered", "alarms", "endpoints", "paths",
    "versions", "seconds",
}  # fmt: skip
VICTORIA = {"vicprice", "vicdemand", "transfer"}
VICTORIA_FROM, TRAINED = 17_424, 8_064


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


def test_the_report_needs_no_network(whole, shared_laptop):
    page = (shared_laptop.home / "demo" / "report.html").read_text()
    assert "src=" not in page and "href=" not in page.replace('xlink:href="#', "") and "@import" not in page
    for word in ("CUSUM statistic", "vicprice", "threshold", "Everything adds up"):
        assert word in page
