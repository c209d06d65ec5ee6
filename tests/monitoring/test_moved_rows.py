import pytest

from leeway.record import Position, RowReference
from monitoring.moved_rows import MovedRows
from monitoring.verdicts import verdict


def found(detector, first, last, features=(), **details):
    rows = [RowReference(Position(0, offset), f"r{offset}", 0) for offset in (first, last)]
    return verdict(
        endpoint="e", detector=detector, status=2, at=Position(0, last), appended=0, rows=last - first + 1,
        first=rows[0], last=rows[1], statistic=1.0, threshold=1.0, features=list(features), details=details,
    )  # fmt: skip


def estimated(first, last, rate):
    return found("model_performance", first, last, estimates={"error_rate": {"value": rate}})


@pytest.fixture
def moved():
    rows = MovedRows()
    rows.add([found("data_drift", 0, 99), estimated(0, 99, 0.1)])
    rows.add([found("data_drift", 100, 199, ["b", "a"]), estimated(100, 199, 0.3)])
    return rows


@pytest.mark.parametrize(
    "first, last, expected",
    [
        (20, 90, {"drift": "unknown"}),
        (20, 99, {"drift": "concept", "expected_error_rate": 0.1}),
        (20, 150, {"drift": "unknown", "expected_error_rate": 0.1}),
        (120, 250, {"drift": "concept and data", "moved": ["a", "b"], "expected_error_rate": 0.3}),
        (220, 250, {"drift": "unknown"}),
    ],
)
def test_an_alarm_is_told_what_the_windows_before_it_say_of_its_rows(moved, first, last, expected):
    alarm = found("concept_drift", first, last, errors=7)
    copy = MovedRows()
    copy.restore(moved.snapshot())
    for rows in (moved, copy):
        assert rows.explained(alarm).details == {"errors": 7, **expected}


def test_how_often_old_windows_are_let_go_shows_in_nothing():
    kept, forgetful = MovedRows(), MovedRows()
    for i in range(120):
        for rows in (kept, forgetful):
            rows.add([found("data_drift", i * 100, i * 100 + 99, [f"f{i}"])])
        forgetful.forget()
    alarm = found("concept_drift", 0, 12_000)
    assert kept.explained(alarm) == forgetful.explained(alarm)
    assert len(kept.explained(alarm).details["moved"]) == 50
