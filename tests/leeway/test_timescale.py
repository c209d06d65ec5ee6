"""What is TimescaleDB's own: a hypertable, compressed chunks, sums by the hour; the store reads and writes as ever."""

from contextlib import closing
from uuid import uuid4

import psycopg
import pytest

from leeway.backends import connect
from leeway.errors import StoreError
from leeway.interfaces import Point
from leeway.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.engine("timescale")]

DAY_S = 86_400


@pytest.fixture
def url(timescale):
    """Of a schema of its own."""
    schema = f"t{uuid4().hex[:8]}"
    with closing(psycopg.connect(timescale.url, autocommit=True)) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{timescale.url}?options=-csearch_path%3D{schema},public"


@pytest.fixture
def admin(url):
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def series(url):
    with closing(connect.series(Settings(series=url))) as series:
        yield series


def test_a_search_path_without_the_extension_is_refused_with_what_to_add(url):
    with pytest.raises(StoreError, match=r"schema public.*csearch_path%3Dname,public"):
        connect.series(Settings(series=url.removesuffix(",public"))).names()


def point(bucket, range="r", **more):
    return Point(series="rows", endpoint="e", bucket=bucket, range=range, **{"count": 1, "total": 2.0, **more})


def chunks(admin):
    query = """SELECT range_start_integer, is_compressed FROM timescaledb_information.chunks
        WHERE hypertable_schema = current_schema() AND hypertable_name = 'leeway_point' ORDER BY 1"""
    return admin.execute(query).fetchall()


def test_points_lie_in_a_hypertable_with_a_chunk_a_day_and_the_policies_are_set(series, admin):
    series.write(point(hour * 3_600) for hour in range(60))
    assert chunks(admin) == [(0, False), (DAY_S, False), (2 * DAY_S, False)]
    jobs = admin.execute("SELECT proc_name FROM timescaledb_information.jobs WHERE job_id >= 1000").fetchall()
    assert {name for (name,) in jobs} == {
        "policy_compression", "policy_refresh_continuous_aggregate", "policy_retention"
    }  # fmt: skip


def test_the_same_point_twice_is_one_and_reads_are_what_they_are_elsewhere(series):
    points = [point(at, histogram={3: at % 5 + 1}) for at in range(0, 600, 7)]
    for _ in range(2):
        series.write(points)
    found = series.read("rows", "e", 0, 600, 60)
    assert [each.bucket for each in found] == list(range(0, 600, 60))
    assert sum(each.count for each in found) == len(points)
    assert sum(each.histogram[3] for each in found) == sum(at % 5 + 1 for at in range(0, 600, 7))
    assert series.names() == [("rows", "e", "")]


def test_a_compressed_chunk_is_read_and_written_on(series, admin):
    series.write(point(hour * 3_600) for hour in range(30))
    admin.execute(f"SELECT compress_chunk(c) FROM show_chunks('leeway_point', older_than => {DAY_S}) AS c")
    assert chunks(admin) == [(0, True), (DAY_S, False)]
    series.write([point(3_600, total=5.0)])
    assert [each.total for each in series.read("rows", "e", 0, 3 * 3_600, 3_600)] == [2.0, 5.0, 2.0]


def test_old_days_are_summed_up_by_the_minute_and_their_chunks_dropped(series, admin):
    series.write([point(0, "a", histogram={1: 1}), point(30, "b", histogram={1: 2}), point(61), point(3 * DAY_S)])
    before = series.read("rows", "e", 0, 4 * DAY_S, 60)
    series.retain(DAY_S, 30 * DAY_S)
    assert chunks(admin) == [(3 * DAY_S, False)]
    assert series.read("rows", "e", 0, 4 * DAY_S, 60) == before
    assert before[0].histogram == {1: 3}


def test_sums_by_the_hour_are_there_for_who_asks_the_database(series, admin):
    series.write(point(at, low=-1.0, high=at) for at in range(0, 7_200, 60))
    admin.execute("CALL refresh_continuous_aggregate('leeway_hour', NULL, NULL)")
    query = "SELECT bucket, count, total, low, high FROM leeway_hour ORDER BY bucket"
    assert admin.execute(query).fetchall() == [(0, 60, 120.0, -1.0, 3_540.0), (3_600, 60, 120.0, -1.0, 7_140.0)]
