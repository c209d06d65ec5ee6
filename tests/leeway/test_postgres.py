"""What is PostgreSQL's own: commits that break off, tables that are brought up to date, secrets, partitions."""

import os
import threading
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest

from leeway.backends import connect
from leeway.backends.postgres_layout import MIGRATIONS
from leeway.errors import Conflict, StoreError
from leeway.interfaces import Point
from leeway.settings import Settings
from tests.engines.wire import Wire

pytestmark = [pytest.mark.slow, pytest.mark.engine("postgres")]


@pytest.fixture
def admin(postgres):
    with closing(psycopg.connect(postgres.url, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def url(postgres, admin):
    schema = f"t{uuid4().hex[:8]}"
    admin.execute(f"CREATE SCHEMA {schema}")
    admin.execute(f"SET search_path = {schema}")
    return f"{postgres.url}?options=-csearch_path%3D{schema}"


@pytest.fixture
def wire(postgres):
    wire = Wire(postgres.port)
    yield wire
    wire.stop()


@pytest.fixture
def state(url, wire, postgres):
    """On the wire."""
    with closing(connect.state(Settings(state=url.replace(f":{postgres.port}", f":{wire.port}")), "s")) as state:
        yield state


def once(text):
    """Whether a packet holds `text`, for the first time."""
    found = []

    def is_it(data):
        if text in data and not found:
            found.append(data)
            return True
        return False

    return is_it


def test_a_commit_whose_answer_never_came_is_known_to_have_taken_place(state, wire):
    state.commit({"position": b"1"})
    wire.cut_after = once(b"COMMIT")
    state.commit({"position": b"2"}, expect={"position": b"1"})
    assert state.get("position") == b"2"


def test_it_is_known_too_when_the_server_was_away_meanwhile(state, wire):
    state.commit({"position": b"1"})
    wire.cut_after = lambda data: b"COMMIT" in data
    wire.cut_before = lambda data: b"SELECT token" in data
    with pytest.raises(StoreError):
        state.commit({"position": b"2"}, ["x"], {"position": b"1"})
    wire.cut_after = wire.cut_before = lambda data: False
    state.commit({"position": b"2"}, ["x"], {"position": b"1"})
    with pytest.raises(Conflict):
        state.commit({"position": b"2"}, ["x"], {"position": b"1"})


def test_a_commit_that_never_arrived_is_an_error_and_can_be_tried_again(state, wire):
    state.commit({"position": b"1"})
    wire.cut_before = once(b"COMMIT")
    with pytest.raises(StoreError, match="broke off in a commit"):
        state.commit({"position": b"2"}, expect={"position": b"1"})
    assert state.get("position") == b"1"
    state.commit({"position": b"2"}, expect={"position": b"1"})


def test_a_connection_that_the_server_closed_is_not_used_again(state, admin):
    state.commit({"a": b"1"})
    admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'leeway'")
    state.commit({"a": b"2"}, expect={"a": b"1"})


def test_a_newer_layout_is_refused(url, admin):
    with closing(connect.state(Settings(state=url), "s")) as state:
        state.commit({"a": b""})
    admin.execute("INSERT INTO leeway_layout VALUES (99)")
    with pytest.raises(
        StoreError, match=rf"layout version 99, newer than {len(MIGRATIONS)}.*use the Leeway that wrote"
    ):
        connect.state(Settings(state=url), "s").get("a")


def test_many_that_open_it_first_make_its_tables_once(url, admin):
    start, failed = threading.Barrier(8), []

    def open_it(number):
        try:
            start.wait()
            with closing(connect.series(Settings(series=url))) as series:
                series.write([Point(series="s", endpoint="e", bucket=number % 3 * 86_400, range=f"{number}", count=1)])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert admin.execute("SELECT version FROM leeway_layout ORDER BY version").fetchall() == [
        (number + 1,) for number in range(len(MIGRATIONS))
    ]
    assert admin.execute("SELECT count(*) FROM leeway_point").fetchone() == (8,)


def test_a_day_of_points_is_a_partition(url, admin):
    with closing(connect.series(Settings(series=url))) as series:
        series.write(Point(series="s", endpoint="e", bucket=hour * 3_600, range="r", count=1) for hour in range(60))
    found = admin.execute("SELECT c.relname, c.reltuples FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
                          "WHERE inhparent = 'leeway_point'::regclass ORDER BY 1").fetchall()  # fmt: skip
    assert [name for name, _ in found] == ["leeway_point_0", "leeway_point_1", "leeway_point_2"]


def test_a_forked_child_and_its_parent_do_not_share_a_connection(url):
    state = connect.state(Settings(state=url), "s")
    state.commit({"a": b"1"})
    pid = os.fork()
    if pid == 0:
        try:
            state.commit({"a": b"2"}, expect={"a": b"1"})
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    state.commit({"a": b"3"}, expect={"a": b"2"})
    state.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@127.0.0.1:1/db?sslpassword=s3cret",
        "postgresql://me:s3cret@127.0.0.1:1/db?nonsense=s3cret",
    ],
)
def test_no_error_shows_the_password(url):
    for act in (
        lambda: connect.state(Settings(state=url), "s").get("a"),
        lambda: connect.series(Settings(series=url)).names(),
    ):
        with pytest.raises(StoreError, match=r"me:\*\*\*@127\.0\.0\.1") as refused:
            act()
        assert "s3cret" not in str(refused.value)
