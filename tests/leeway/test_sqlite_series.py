"""The minutes that the embedded store sums up while their points are still there."""

import sqlite3
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.backends.sqlite_database import SqliteDatabase
from leeway.backends.sqlite_series import _LAYOUT, _SUMS, SqliteSeries
from leeway.interfaces import Point

DAY_S = 86_400
POINTS = st.lists(
    st.builds(
        Point, series=st.just("latency"), endpoint=st.just("e"), bucket=st.integers(0, 200),
        range=st.sampled_from(["r1", "r2"]), count=st.integers(0, 9), total=st.integers(0, 99).map(float),
        low=st.integers(-5, 5).map(float), high=st.integers(-5, 5).map(float),
        histogram=st.dictionaries(st.integers(-3, 3), st.integers(1, 5), max_size=3),
    ),
    max_size=25, unique_by=lambda point: (point.bucket, point.range),
)  # fmt: skip


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


@pytest.mark.parametrize("layout", [[_LAYOUT], [_LAYOUT, _SUMS]])
def test_a_file_of_an_older_layout_is_migrated_with_its_points_and_minutes(home, layout):
    old = SqliteDatabase(home / "old.db", *layout)
    with old.writing() as connection:
        connection.execute("INSERT INTO line (series, endpoint, feature) VALUES ('s', 'e', '')")
        connection.execute("INSERT INTO point VALUES (1, 300, 'r', 1, 2.0, 1.0, 3.0, NULL)")
        if len(layout) == 1:
            connection.execute("INSERT INTO point VALUES (1, 65, 'r', 1, 2.0, 1.0, 3.0, NULL)")
        else:
            connection.execute("INSERT INTO minute VALUES (1, 60, 1, 2.0, 1.0, 3.0, NULL)")
    old.close()
    store = SqliteSeries(home / "old.db")
    found = store.read("s", "e", step=60)
    assert [(each.bucket, each.count, each.total, each.low, each.high) for each in found] == [
        (60, 1, 2.0, 1.0, 3.0), (300, 1, 2.0, 1.0, 3.0),
    ]  # fmt: skip
    store.close()
    with sqlite3.connect(home / "old.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()
