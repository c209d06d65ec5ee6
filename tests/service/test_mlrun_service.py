"""MLRun's own client, the project and a stub of the service behind it: nothing of the laptop takes part."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import pytest

from leeway.record import Incident, Position, RowReference, Verdict
from tests.service.mlrun_service import ADDRESS, MlrunService

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CODE = """
def double(context, x=2):
    context.log_result("doubled", 2 * x)
    context.log_artifact("told", body=b"hello", local_path="told.txt")
"""
PROGRAM = """
import json, sys
import leeway, mlrun, msgspec
from leeway.record import Incident
from monitoring.mlrun_alert import raise_mlrun_alert

assert leeway.start() == mlrun.mlconf.dbpath
project = mlrun.load_project("./context", sys.argv[2])
job = project.set_function("job.py", "job", kind="job", image="mlrun/mlrun", handler="double")
run = project.run_function(job, params={"x": 21}, local=True)
server = project.get_function("model-server")
server.set_envs({"SERVING_MODEL_m": "store://models/m", "INFERENCE_STREAM": "kafka://broker:9092/elec"})
server.set_env_from_secret("LEEWAY_STATE", "stores", "state")
deployed = project.deploy_function(server)
raise_mlrun_alert(msgspec.json.decode(sys.argv[1], type=Incident))
builds = [
    each.get_function("replay", enrich=True).spec.build
    for each in (project, mlrun.load_project("./packed", sys.argv[3]))
]
code = [[build.source, build.load_source_on_run] for build in builds]
print("RESULT", json.dumps([run.state(), run.status.results, deployed.state, server.status.address, code]))
"""
AUTHOR = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
INCIDENT = {
    "id": "i-1", "endpoint": "leeway/model-server/m/default/m/v1", "detector": "concept_drift", "kind": "concept_drift",
    "state": "open",
}  # fmt: skip


@pytest.fixture
def service():
    service = MlrunService()
    yield service
    service.stop()


@pytest.fixture
def sources(tmp_path):
    """The URLs of a copy of the project in git and of one in an archive, and variables with which MLRun finds them."""
    folder = tmp_path / "origin"
    folder.mkdir()
    for name in ("project.yaml", "project_setup.py"):
        shutil.copy(ROOT / name, folder)
    for name in ("functions", "workflows", "hub"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "job.py").write_text(CODE)
    packed = str(tmp_path / "project.tar.gz")
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder, ".")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*AUTHOR, "commit", "-q", "-m", "all of it"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    # MLRun clones git:// URLs by https.
    elsewhere = {"KEY": f"url.file://{folder}.insteadOf", "VALUE": "https://code.example/leeway.git"}
    variables = {"GIT_CONFIG_COUNT": "1", **{f"GIT_CONFIG_{name}_0": value for name, value in elsewhere.items()}}
    return "git://code.example/leeway.git#refs/heads/main", packed, variables


def test_load_run_deploy_a_result_and_an_alert_reach_the_service(service, sources, incident, tmp_path):
    url, packed, variables = sources
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MLRUN_", "LEEWAY_"))},
        "MLRUN_DBPATH": service.url, "MLRUN_IGNORE_ENV_FILE": "1", "PYTHONPATH": str(ROOT),
        "MLRUN_HTTPDB__LOGS__NUCLIO__PULL_DEPLOY_STATUS_DEFAULT_INTERVAL": "0", **variables,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, incident, url, packed], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    said = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    state, results, deployed, address, code = json.loads(said.removeprefix("RESULT "))
    assert (state, results, deployed, address) == ("completed", {"doubled": 42}, "ready", ADDRESS)
    assert not [*tmp_path.rglob(".leeway")], "the laptop stayed away"
    assert code == [[url, True], [packed, True]], "a job of the workflow loads the project's source"
    assert service.unknown == []

    (run,) = (value for path, value in service.kept.items() if path.startswith("projects/leeway/runs/"))
    assert (run["status"]["state"], run["status"]["results"]) == ("completed", {"doubled": 42})
    (artifact,) = (value for path, value in service.kept.items() if path.startswith("projects/leeway/artifacts/"))
    assert artifact["metadata"]["tree"] == run["metadata"]["uid"], "its lineage"
    (function,) = service.deployed
    assert function["spec"]["function_handler"] == "model_server:handler"
    embedded = function["spec"]["base_spec"]["spec"]["build"]["functionSourceCode"]
    assert b"class Bundle" in base64.b64decode(embedded), "it brings what it imports"
    env = {entry["name"]: entry for entry in function["spec"]["env"]}
    assert env["INFERENCE_STREAM"]["value"] == "kafka://broker:9092/elec"
    assert "value" not in env["LEEWAY_STATE"], "a secret is named, not told"
    (event,) = service.kept["projects/leeway/events/concept-drift-detected"]
    assert event["entity"]["ids"] == ["leeway/model-server/m/default/m/v1"]
    assert event["value_dict"]["detector"] == "concept_drift"


@pytest.fixture
def incident():
    at = Position(0, 9, 0)
    row = RowReference(at, "r-9", 0)
    verdict = Verdict(
        id="v-1", endpoint=INCIDENT["endpoint"], detector="concept_drift", kind="concept_drift", status=2, at=at,
        appended=1_700_000_000, rows=10, first=row, last=row, statistic=9.0, threshold=8.0,
    )  # fmt: skip
    return msgspec.json.encode(Incident(**INCIDENT, opened=verdict)).decode()
