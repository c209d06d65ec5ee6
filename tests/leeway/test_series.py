from functools import reduce
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.backends.sqlite_series import SqliteSeries
from leeway.interfaces import Point

POINTS = st.lists(
    st.builds(
        Point, series=st.just("latency"), endpoint=st.sampled_from("ef"), bucket=st.integers(0, 30),
        range=st.sampled_from(["r1", "r2", "r3"]), count=st.integers(0, 9), total=st.integers(0, 99).map(float),
        low=st.integers(-5, 5).map(float), high=st.integers(-5, 5).map(float),
        histogram=st.dictionaries(st.integers(-3, 3), st.integers(1, 5), max_size=3),
    ),
    max_size=25, unique_by=lambda point: (point.endpoint, point.bucket, point.range),
)  # fmt: skip


def sum_of(bucket, points):
    keys = sorted({key for point in points for key in point.histogram})
    return Point(
        series="latency", endpoint="e", bucket=bucket, range="", count=sum(p.count for p in points),
        total=sum(p.total for p in points), low=min(p.low for p in points), high=max(p.high for p in points),
        histogram={key: sum(p.histogram.get(key, 0) for p in points) for key in keys},
    )  # fmt: skip


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS, step=st.integers(1, 12), start=st.integers(0, 20), end=st.integers(0, 35))
def test_what_comes_back_is_the_sum_by_step_however_often_it_was_written(series, points, step, start, end):
    at_random = {(p.endpoint, p.bucket, p.range): p for p in points}
    blank = [Point(series="latency", endpoint=e, bucket=b, range=r) for e in "ef" for b in range(31) for r in RANGES]
    series.write(at_random.get((p.endpoint, p.bucket, p.range), p) for p in blank)
    series.write(points)
    expected = []
    for bucket in sorted({b - b % step for b in range(max(0, start), min(31, end))}):
        inside = [
            p for p in points if p.endpoint == "e" and start <= p.bucket < end and p.bucket // step == bucket // step
        ]
        expected.append(sum_of(bucket, [Point(series="", endpoint="", bucket=0, range=""), *inside]))
    assert series.read("latency", "e", start, end, step) == expected


RANGES = ["r1", "r2", "r3"]


def point(**fields):
    return Point(**({"series": "rows", "endpoint": "e", "bucket": 7, "range": "r", "count": 1} | fields))


def test_a_range_that_is_written_again_replaces_its_points(series):
    series.write([point(count=5), point(range="other", count=2)])
    series.write([point(count=6)])
    assert [p.count for p in series.read("rows", "e")] == [8]


def test_features_and_endpoints_do_not_mix(series):
    series.write([point(), point(feature="price", count=2), point(endpoint="f", count=3), point(series="x", count=4)])
    assert [p.count for p in series.read("rows", "e", feature="price")] == [2]
    assert [p.count for p in series.read("rows", "f")] == [3]
    assert series.read("rows", "nobody") == []


def test_names_lists_each_series_once_in_order(series):
    series.write([point(bucket=b, feature=f) for b in range(3) for f in ("b", "a", "")])
    assert series.names() == [("rows", "e", ""), ("rows", "e", "a"), ("rows", "e", "b")]


def test_a_failing_iterable_writes_nothing(series):
    def points():
        yield point()
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        series.write(points())
    assert series.names() == []


def test_more_points_than_one_page_are_all_read(series):
    series.write(point(bucket=b, range=f"{r:02d}", total=0.1) for b in range(900) for r in range(50))
    found = series.read("rows", "e", step=900)
    assert [p.count for p in found] == [45_000]
    assert found[0].total == reduce(lambda total, _: total + 0.1, range(45_000), 0.0)


DAY_S = 86_400


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS, late=POINTS)
def test_old_points_become_sums_by_the_minute_and_say_the_same(home, points, late):
    store = SqliteSeries(home / uuid4().hex)
    store.write(points)
    expected = store.read("latency", "e", step=60)
    newest = Point(series="latency", endpoint="z", bucket=10 * DAY_S, range="r")
    store.write([newest])
    for _ in range(2):
        store.retain(2 * DAY_S, 365 * DAY_S)
        assert store.read("latency", "e", step=60) == expected
        assert {point.bucket % 60 for point in store.read("latency", "e")} <= {0}
    store.write(late)
    store.retain(2 * DAY_S, 365 * DAY_S)
    mine = [point for point in [*points, *late] if point.endpoint == "e"]
    assert sum(point.count for point in store.read("latency", "e")) == sum(point.count for point in mine)
    store.retain(2 * DAY_S, 9 * DAY_S)
    assert store.read("latency", "e") == []
    assert len(store.read("latency", "z")) == 1
    store.close()


def test_many_points_are_summed_up_a_piece_at_a_time(home):
    store = SqliteSeries(home / "series.db")
    store.write([Point(series="n", endpoint="e", bucket=i // 3, range=f"r{i % 3}", count=1) for i in range(30_000)])
    store.write([Point(series="n", endpoint="e", bucket=5 * DAY_S, range="r", count=1)])
    store.retain(DAY_S, 365 * DAY_S)
    found = store.read("n", "e")
    assert [point.count for point in found[:-2]] == [180] * (len(found) - 2)
    assert sum(point.count for point in found) == 30_001
    store.close()


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS, again=POINTS)
def test_minutes_that_are_summed_up_say_the_same_as_their_points(home, points, again):
    """Also where points come for them later, or come again with other values."""
    kept, plain = SqliteSeries(home / uuid4().hex), SqliteSeries(home / uuid4().hex)
    for some in (points, again, points):
        kept.retain(2 * DAY_S, 365 * DAY_S)
        for store in (kept, plain):
            store.write([*some, Point(series="latency", endpoint="z", bucket=DAY_S, range="r")])
        for step, start, end in ((1, 0, 2**62), (60, 0, 2**62), (300, 60, 120), (60, 7, 2**62), (60, 0, 90)):
            asked = ("latency", "e", start, end, step)
            assert kept.read(*asked) == plain.read(*asked)
    kept.retain(2 * DAY_S, 365 * DAY_S)
    assert kept.read("latency", "e", step=60) == plain.read("latency", "e", step=60)
    kept.close()
    plain.close()
