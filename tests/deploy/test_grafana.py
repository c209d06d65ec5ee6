"""Grafana's dashboards in the repository are what their code generates, and their SQL is PostgreSQL's."""

import importlib.util
import json
import re
from pathlib import Path

import psycopg
import pytest

from tests.monitoring.conftest import Reader, StreamMaker, _eventful, profile_bytes  # noqa: F401  a fixture

FOLDER = Path(__file__).parents[2] / "deploy/grafana"


def build():
    spec = importlib.util.spec_from_file_location("grafana_dashboards", FOLDER / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_dashboard_is_there_and_no_other():
    assert {path.stem for path in FOLDER.glob("*.json")} == {*build().PANELS, "store"}


@pytest.mark.parametrize("name", ["overview", "endpoint", "drift"])
def test_a_dashboard_is_what_its_code_says(name):
    assert (FOLDER / f"{name}.json").read_text() == build().build(name), "run `python deploy/grafana/build.py`"
    shown = json.loads((FOLDER / f"{name}.json").read_text())
    assert shown["uid"] == f"leeway-{name}" and shown["schemaVersion"]
    assert len(shown["panels"]) == len(build().PANELS[name][1])
    assert all(target["expr"] for panel in shown["panels"] for target in panel["targets"])


def test_the_dashboard_of_the_store_is_what_its_code_says():
    assert (FOLDER / "store.json").read_text() == build().build_store(), "run `python deploy/grafana/build.py`"
    shown = json.loads((FOLDER / "store.json").read_text())
    assert [panel["targets"][0]["rawSql"] for panel in shown["panels"]] == [sql for *_, sql in build().SQL_PANELS]


@pytest.mark.slow
@pytest.mark.engine("postgres")
def test_every_sql_panel_returns_rows(postgres, tmp_path, profile_bytes):  # noqa: F811
    """After a stream with everything in it; the macros replaced as Grafana does."""
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE grafana")
        url = postgres.url.rpartition("/")[0] + "/grafana"
        reader = Reader(tmp_path, profile_bytes, state=url, series=url, window_rows=50, detector_arl0=200)
        messages = _eventful(StreamMaker(seed=11))
        reader.consumer().consume(messages)
        points = reader.series.read("requests", "shop/server/a/default/a/v1")
        reader.series.retain(60, 10**9)
        reader.close()
        first, last = messages[0].appended, messages[-1].appended
        with psycopg.connect(url) as connection:
            for title, _, kind, sql in build().SQL_PANELS:
                asked = re.sub(r"\$__unixEpochFilter\((\w+)\)", rf"\1 >= {first} AND \1 <= {last}", sql)
                assert "$" not in asked, title
                found = connection.execute(asked)
                rows = found.fetchall()
                assert rows, f"{title} shows nothing"
                if kind == "timeseries":
                    assert [column.name for column in found.description] == ["time", "metric", "value"]
                if title == "Requests a minute":
                    counted = sum(value for _, name, value in rows if name == "shop/server/a/default/a/v1")
                    assert counted == sum(point.count for point in points)
        admin.execute("DROP DATABASE grafana WITH (FORCE)")
