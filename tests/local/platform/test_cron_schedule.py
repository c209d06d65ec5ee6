"""When schedules are due."""

from datetime import datetime

import pytest

from leeway.errors import PlatformError
from leeway.local.cron_schedule import CronSchedule, duration_s

NOW = datetime(2024, 2, 28, 23, 59, 30)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * *", datetime(2024, 2, 29, 0, 0)),
        ("*/15 * * * *", datetime(2024, 2, 29, 0, 0)),
        ("7/20 * * * *", datetime(2024, 2, 29, 0, 7)),
        ("5 4 * * *", datetime(2024, 2, 29, 4, 5)),
        ("0 0 29 2 *", datetime(2024, 2, 29)),
        ("0 0 30 * *", datetime(2024, 3, 30)),
        ("0 9 * * mon", datetime(2024, 3, 4, 9)),
        ("0 9 * * 7", datetime(2024, 3, 3, 9)),
        ("0 9 * * sun-tue", datetime(2024, 3, 3, 9)),
        ("0 0 13 * fri", datetime(2024, 3, 1)),
        ("0 0 1 jan,jul *", datetime(2024, 7, 1)),
        ("45 59 23 * * *", datetime(2024, 2, 28, 23, 59, 45)),
        ("10-50/20 0 0 * * *", datetime(2024, 2, 29, 0, 0, 10)),
        ("* 30 * * * *", datetime(2024, 2, 29, 0, 30)),
        ("@hourly", datetime(2024, 2, 29, 0, 0)),
        ("@weekly", datetime(2024, 3, 3)),
        ("0 0 ? * *", datetime(2024, 2, 29)),
    ],
)
def test_the_next_time_is_found(text, due):
    assert CronSchedule.parse(text).next_after(NOW) == due


def test_a_time_that_is_now_is_due_next_time():
    schedule = CronSchedule.parse("0 0 * * *")
    assert schedule.next_after(datetime(2024, 1, 1)) == datetime(2024, 1, 2)
    assert schedule.next_after(datetime(2024, 1, 1, 23, 59, 59, 999_999)) == datetime(2024, 1, 2)


def test_a_leap_day_after_a_century_without_one_is_found():
    assert CronSchedule.parse("0 0 29 2 *").next_after(datetime(2096, 3, 1)) == datetime(2104, 2, 29)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * * *", "has 4 fields"),
        ("60 * * * *", "'60' is not within 0 to 59"),
        ("* * 0 * *", "'0' is not within 1 to 31"),
        ("* * * foo *", "'foo' is not within 1 to 12"),
        ("*/0 * * * *", "'*/0' is not"),
        ("1-- * * * *", "'1--' is not"),
    ],
)
def test_what_is_no_schedule_is_named(text, said):
    with pytest.raises(PlatformError, match=said.replace("*", r"\*")):
        CronSchedule.parse(text)


def test_what_is_never_due_is_named():
    with pytest.raises(PlatformError, match="never due"):
        CronSchedule.parse("0 0 31 feb *").next_after(NOW)


@pytest.mark.parametrize(
    ("text", "seconds"), [("3s", 3), ("1m30s", 90), ("500ms", 0.5), ("1.5h", 5400), ("2h5m", 7500)]
)
def test_durations_are_gos(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "s", "3 s", "-1s", "3sx", "0s"])
def test_what_is_no_duration_is_named(text):
    with pytest.raises(PlatformError, match="interval"):
        duration_s(text)
