"""What every series store keeps, whatever it lies on."""

from functools import reduce

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.errors import StoreError
from leeway.interfaces import Point

SERVERS = [
    pytest.param("postgres", marks=[pytest.mark.slow, pytest.mark.engine("postgres")]),
    pytest.param("timescale", marks=[pytest.mark.slow, pytest.mark.engine("timescale")]),
    pytest.param("frames", marks=pytest.mark.slow),
]
# A write to V3IO's TSDB that breaks off is whole only when it was repeated (tests/leeway/test_v3io_series.py).
WHOLE = ["sqlite", SERVERS[0]]

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


def test_points_of_many_days_are_read_across_them(series):
    day = 86_400
    series.write(point(bucket=20_000 * day + hour * 3_600, count=1) for hour in range(24 * 9))
    assert [p.count for p in series.read("rows", "e", step=day)] == [24] * 9
    assert [p.bucket // day for p in series.read("rows", "e", 20_002 * day, 20_004 * day, day)] == [20_002, 20_003]


def test_any_name_and_a_large_write_come_back(series):
    names = {("série", "p/f/日本", "clé \U0001f6a2"), ("", "", "")}
    for name, endpoint, feature in names:
        series.write(
            point(series=name, endpoint=endpoint, feature=feature, bucket=b, total=b / 3, histogram={b: 1, -1: 2})
            for b in range(5_000)
        )
    assert set(series.names()) == names
    for name, endpoint, feature in names:
        found = series.read(name, endpoint, feature=feature)
        assert [p.total for p in found] == [b / 3 for b in range(5_000)]
        assert found[7].histogram == {-1: 2, 7: 1}


def test_the_last_of_equal_points_in_one_write_stays(series):
    series.write([point(count=1), point(count=2)])
    assert [p.count for p in series.read("rows", "e")] == [2]


@pytest.mark.parametrize("series_place", SERVERS, indirect=True)
def test_a_server_that_goes_away_has_everything_when_it_is_back(series, series_place, away):
    series.write([point(count=1)])
    with away(series_place.server):
        with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
            series.write([point(range="s", count=2)])
        with pytest.raises(StoreError):
            series.read("rows", "e")
    series.write([point(range="s", count=2)])
    assert [p.count for p in series.read("rows", "e")] == [3]


@pytest.mark.parametrize("series_place", WHOLE, indirect=True)
def test_of_a_process_that_is_killed_a_write_is_there_whole_or_not_at_all(series, series_place, killed):
    def written():
        return [each.count for each in series.read("rows", "e", feature="1", step=3)]

    def check():
        for _ in range(3):
            counts = {each.count for each in series.read("rows", "e", feature="0")}
            assert len(counts) <= 1, "each write has as many points in each of the three buckets"

    killed(series_place, "series", lambda: sum(written()) > 2_000, check)
    first, second = (series.read("rows", "e", feature=feature) for feature in "01")
    assert [each.count for each in first] == [each.count for each in second]


DAY_S = 86_400


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=POINTS, late=POINTS)
def test_old_points_become_sums_by_the_minute_and_say_the_same(series, points, late):
    series.retain(-20 * DAY_S, -20 * DAY_S)
    series.write(points)
    expected = series.read("latency", "e", step=60)
    series.write([point(series="latency", endpoint="z", bucket=10 * DAY_S)])
    for _ in range(2):
        series.retain(2 * DAY_S, 365 * DAY_S)
        assert series.read("latency", "e", step=60) == expected
        assert {each.bucket % 60 for each in series.read("latency", "e")} <= {0}
    series.write(late)
    series.retain(2 * DAY_S, 365 * DAY_S)
    mine = [each for each in [*points, *late] if each.endpoint == "e"]
    assert sum(each.count for each in series.read("latency", "e")) == sum(each.count for each in mine)
    assert total_of(series.read("latency", "e")) == total_of(mine)
    series.retain(2 * DAY_S, 9 * DAY_S)
    assert series.read("latency", "e") == []
    assert len(series.read("latency", "z")) == 1


def total_of(points):
    return sum(number for each in points for number in each.histogram.values())


def test_many_points_are_summed_up_and_none_is_missed(series):
    series.write(point(bucket=i // 3, range=f"r{i % 3}") for i in range(30_000))
    series.write([point(bucket=5 * DAY_S)])
    series.retain(DAY_S, 365 * DAY_S)
    found = series.read("rows", "e")
    assert [each.bucket for each in found] == [*range(0, 10_000, 60), 5 * DAY_S]
    assert [each.count for each in found] == [180] * 166 + [120, 1]
