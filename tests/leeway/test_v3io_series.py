"""What is V3IO's own: days that are summed up step by step, as nothing there commits together; secrets."""

from contextlib import closing
from uuid import uuid4

import pytest

from leeway.backends import connect
from leeway.errors import StoreError
from leeway.interfaces import Point
from leeway.settings import Settings

DAY_S = 86_400


@pytest.fixture
def settings(frames):
    yield Settings(series=f"v3io:///users/{uuid4().hex[:8]}", v3io_framesd=frames.url, v3io_access_key="of-the-tests")
    frames.answers = None


def point(bucket, range="r", **more):
    return Point(series="rows", endpoint="e", bucket=bucket, range=range, **{"count": 1, "total": 2.0, **more})


def minutes(series):
    return series.read("rows", "e", step=60)


@pytest.mark.parametrize("late", [False, True])
def test_wherever_it_breaks_off_a_day_is_summed_up_once(settings, frames, late):
    with closing(connect.series(settings)) as series:
        series.write([point(0, "a", histogram={1: 1}), point(30, "b", histogram={1: 2}), point(61), point(3 * DAY_S)])
        if late:
            series.retain(DAY_S, 30 * DAY_S)
            series.write([point(31, "c", count=5)])
        expected = minutes(series)
        assert sum(each.count for each in expected) == (9 if late else 4)
        broken = 0
        for answers in range(30):
            frames.answers = answers
            try:
                series.retain(DAY_S, 30 * DAY_S)
            except StoreError:
                broken += 1
            is_over, frames.answers = frames.answers >= 0, None
            assert minutes(series) == expected
            if is_over:
                break
        assert broken > 5
        assert [each.bucket for each in series.read("rows", "e")] == [0, 60, 3 * DAY_S]


def test_one_that_another_summed_up_meanwhile_is_left_alone(settings, monkeypatch):
    with closing(connect.series(settings)) as first, closing(connect.series(settings)) as second:
        first.write([point(0), point(61), point(3 * DAY_S)])
        expected, sums = minutes(first), first._sums

        def meanwhile(*arguments):
            second.retain(DAY_S, 30 * DAY_S)
            return sums(*arguments)

        monkeypatch.setattr(first, "_sums", meanwhile)
        first._sum_up(0, first._steps())
        monkeypatch.undo()
        assert minutes(first) == minutes(second) == expected


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"v3io_framesd": ""}, "needs? V3IO_FRAMESD"),
        ({"v3io_access_key": ""}, "needs? V3IO_ACCESS_KEY"),
        ({"series": "v3io:///users"}, "no path in its container"),
    ],
)
def test_what_is_missing_is_named(settings, given, told):
    with pytest.raises(StoreError, match=told):
        connect.series(Settings(**{name: getattr(settings, name) for name in SETTINGS} | given))


SETTINGS = ("series", "v3io_framesd", "v3io_access_key")


def test_a_wrong_key_is_refused_and_not_shown(settings):
    wrong = Settings(series=settings.series, v3io_framesd=settings.v3io_framesd, v3io_access_key="s3cret")
    with pytest.raises(StoreError, match="unknown access key") as refused:
        connect.series(wrong).names()
    assert "s3cret" not in str(refused.value)
