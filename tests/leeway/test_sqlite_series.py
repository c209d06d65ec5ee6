"""The minutes that the embedded store sums up while their points are still there."""

from uuid import uuid4

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.backends.sqlite_series import SqliteSeries
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
