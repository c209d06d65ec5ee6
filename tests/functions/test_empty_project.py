"""Every function of the hub, as somebody uses it who never saw this repository: from an empty folder, in a project of
their own, in one MLRun call after `leeway.start()`. Leeway is there as it is installed; the checkout is not."""

import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from leeway.local import platform
from leeway.local.hub import hub_folder
from leeway.local.hub_server import HubServer
from leeway.settings import Settings

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.name for path in (hub_folder() / "functions/master").glob("*/"))
PATIENCE_S = 240

pytestmark = pytest.mark.slow

PROGRAM = """
import sys

checkout, installed, *ways = sys.argv[1:]
sys.path[:] = [path for path in sys.path if path != checkout]  # it is there where it was installed to be edited
import leeway

assert leeway.start() == "laptop"
import mlrun
import numpy as np
import pandas as pd

project = mlrun.new_project("empty", "./", overwrite=True)
used = []

def take(item, name):
    used.append(item)
    found = [mlrun.import_function(way.format(item)).to_dict()["spec"] for way in ways]
    assert all(one == found[0] for one in found), (item, ways)
    return project.set_function(ways[0].format(item), name)

def run(item, name, **options):
    take(item, name)
    return project.run_function(name, **options)

def served(item, name, stream="users/s", **env):
    function = take(item, name)
    function.set_envs({"INFERENCE_STREAM": stream, **env})
    project.deploy_function(function)
    return function

table = pd.DataFrame(np.random.default_rng(1).random((400, 2)), columns=["a", "b"])
table["y"] = (table["a"] > 0.5).astype(int)
table.to_parquet("table.parquet", index=False)
data, row = {"data": "table.parquet"}, [0.9, 0.1]
model = run("train", "train", inputs=data, params={"label": "y", "rows": 400, "db_key": "m"}).outputs["model"]

server = served("model_server", "server", SERVING_MODEL_m=model)
assert server.invoke("m/predict", {"instances": [row]})["predictions"] == [1]
for name in ("tf1_serving", "tf2_serving"):
    assert served(name, name[:3], SERVING_MODEL_m=model).invoke("m/predict", {"instances": [row]})["predictions"] == [1]

graph = take("v2_model_server", "graph")
graph.add_model("m", model_path=model)
assert graph.to_mock_server().test("/v2/models/m/infer", {"inputs": [row]})["outputs"] == [1]
project.deploy_function(graph)
assert graph.invoke("/v2/models/m/infer", {"inputs": [row]})["outputs"] == [1]

testers = "endpoint_tester", "model_server_tester", "v2_model_tester", "v2_model_tester"
for item, target in zip(testers, (server, server, server, graph)):
    params = {"addr": target.status.address, "model": "m", "label_column": "y", "rows": 20, "match_err": True}
    results = run(item, "live_tester", inputs={"table": "table.parquet"}, params=params).status.results
    assert (results["errors"], results["match"]) == (0, 40), results

drift = served("concept_drift", "drift")
assert "endpoints" in drift.invoke("/", method="GET")
literature = {"models": ["ddm", "pagehinkley"], "pagehinkley_threshold": 10}
given = {"input_stream": "users/other", "name": "drift-two", **literature}
found = run("concept_drift_deployer", "deployer", params=given)
assert found.outputs["function"] == "drift-two" and found.outputs["address"].startswith("127.0.0.1:")
asked = {each["name"]: each["value"] for each in mlrun.get_run_db().get_function("drift-two", "empty")["spec"]["env"]}
assert (asked["LEEWAY_DETECTOR_ALSO"], asked["LEEWAY_PAGEHINKLEY_THRESHOLD"]) == ("ddm,pagehinkley", "10"), asked
assert b"<html" in served("dashboard", "pages").invoke("/", method="GET", headers={"Accept": "text/html"})
assert run("late_truth", "late", params={"deployment": "empty/server/m"}).outputs["late_rows"] == 0

files = {name: str(getattr(module, "__file__", None) or "") for name, module in list(sys.modules.items())}
ours = {name: file for name, file in files.items() if name.partition(".")[0] in ("leeway", "serving", "monitoring")}
assert ours and all(file.startswith(installed) for file in ours.values() if file), ours
assert [name for name in sys.modules if name.partition(".")[0] == "functions"] == []
print("used", *sorted(set(used)))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What `pip install` would put beside mlrun."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "installed")
    return folder / "installed"


@pytest.fixture
def ways():
    """How a function is named to MLRun; {} is its name."""
    server = HubServer(hub_folder())
    threading.Thread(target=server.run, daemon=True).start()
    layout = "functions/master/{}/latest/src/function.yaml"
    yield ["hub://leeway/{}", "hub://{}", f"{hub_folder()}/{layout}", f"{server.url}/{layout}"]
    server.close()


def test_every_function_is_imported_in_each_way_and_deployed_and_called(ways, installed, tmp_path):
    home, empty = tmp_path / "home", tmp_path / "empty"
    empty.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLRUN_", "LEEWAY_", "PYTEST_"))}
    environ = {**kept, "LEEWAY_HOME": str(home), "MLRUN_IGNORE_ENV_FILE": "1", "PYTHONPATH": str(installed)}
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-P", str(tmp_path / "program.py"), str(ROOT), str(installed), *ways]
    try:
        done = subprocess.run(command, cwd=empty, env=environ, capture_output=True, text=True, timeout=PATIENCE_S)
    finally:
        platform.down(Settings(home=home))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert done.stdout.splitlines()[-1].split()[1:] == NAMES
