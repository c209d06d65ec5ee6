"""Grafana's dashboards in the repository are what their code generates."""

import importlib.util
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "deploy/grafana"


def build():
    spec = importlib.util.spec_from_file_location("grafana_dashboards", FOLDER / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_dashboard_is_there_and_no_other():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(build().PANELS)


@pytest.mark.parametrize("name", ["overview", "endpoint", "drift"])
def test_a_dashboard_is_what_its_code_says(name):
    assert (FOLDER / f"{name}.json").read_text() == build().build(name), "run `python deploy/grafana/build.py`"
    shown = json.loads((FOLDER / f"{name}.json").read_text())
    assert shown["uid"] == f"leeway-{name}" and shown["schemaVersion"]
    assert len(shown["panels"]) == len(build().PANELS[name][1])
    assert all(target["expr"] for panel in shown["panels"] for target in panel["targets"])
