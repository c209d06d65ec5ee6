"""What `leeway build` writes: enough for Nuclio, and nothing of the checkout."""

import base64
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml

from leeway.errors import BundleError
from leeway.local.bundle.image import write_image
from leeway.local.hub import hub_folder


def built(name, folder, env=None):
    path = hub_folder() / "functions/master" / name / "latest/src/function.yaml"
    document = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    return {path.name: path.read_text() for path in write_image(document, folder, env or {})}


def test_function_yaml_is_a_whole_nuclio_function(tmp_path):
    config = yaml.load(
        built("model_server", tmp_path, {"SERVING_MODEL_m": "/models/m.pkl"})["function.yaml"], yaml.CSafeLoader
    )
    spec = config["spec"]
    assert (config["apiVersion"], config["kind"]) == ("nuclio.io/v1", "NuclioFunction")
    assert (spec["handler"], spec["runtime"]) == ("model_server:handler", "python:3.11")
    assert {"name": "SERVING_MODEL_m", "value": "/models/m.pkl"} in spec["env"]
    assert b"def install(" in base64.b64decode(spec["build"]["functionSourceCode"])
    assert spec["build"]["commands"][0].startswith("pip install --no-cache-dir ")


def test_requirements_are_what_the_code_imports_as_it_is_installed_here(tmp_path):
    lines = built("concept_drift", tmp_path)["requirements.txt"].splitlines()
    assert f"pyarrow=={version('pyarrow')}" in lines
    names = {line.partition("==")[0] for line in lines}
    assert {"msgspec", "numpy", "prometheus_client"} <= names
    assert not names & {"mlrun", "nuclio-sdk", "leeway-mlops", "pytest"}
    assert (
        f"scikit-learn=={version('scikit-learn')}" in built("model_server", tmp_path)["requirements.txt"].splitlines()
    )


def test_the_code_and_what_the_processor_reads_lie_beside_the_dockerfile(tmp_path):
    files = built("model_server", tmp_path)
    processor = yaml.safe_load(files["processor.yaml"])
    assert processor["spec"]["handler"] == "model_server:handler"
    assert processor["spec"]["triggers"]["http"] == {"kind": "http", "numWorkers": 1}
    assert {"model_server.py", "Dockerfile"} <= set(files)
    assert "FROM python:3.11" in files["Dockerfile"]
    program = "import model_server; print(callable(model_server.handler), callable(model_server.init_context))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "True True\n", done.stderr


def test_a_job_is_none_of_nuclios(tmp_path):
    with pytest.raises(BundleError, match="train is of kind 'job': only Nuclio functions are built"):
        built("train", tmp_path)
