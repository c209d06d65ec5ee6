"""The one file of the model server runs its own programs, far from the checkout: it compiles, and it fetches."""

import base64
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

HUB = Path(__file__).parents[2] / "hub/functions/master/model_server/latest/src/function.yaml"
SERVE = """
import importlib.util, json, logging, sys, threading
import nuclio_sdk
spec = importlib.util.spec_from_file_location("main", sys.argv[1])
main = importlib.util.module_from_spec(spec)
spec.loader.exec_module(main)
context = nuclio_sdk.Context(nuclio_sdk.Logger(logging.INFO), nuclio_sdk.Platform("local"))
main.init_context(context)
for thread in threading.enumerate():
    if thread.name == "leeway-compiler":
        thread.join(120)
answer = main.handler(context, nuclio_sdk.Event(b"", method="GET", path="/v2/models/m"))
print(json.loads(answer.body)["engine"])
context.user_data.function.close()
"""


@pytest.mark.slow
def test_it_fetches_and_compiles(tmp_path):
    document = yaml.safe_load(HUB.read_text())
    build = document["spec"]["base_spec"]["spec"]["build"]
    code = tmp_path / "deployed.py"
    code.write_bytes(base64.b64decode(build["functionSourceCode"]))
    rows = np.random.default_rng(0).random((50, 3))
    model = tmp_path / "model.pkl"
    model.write_bytes(pickle.dumps(LogisticRegression().fit(rows, rows[:, 0] > 0.5)))
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("LEEWAY_", "MLRUN_", "SERVING_"))
    }
    environ |= {
        "SERVING_MODEL_m": f"local://{model}",
        "SERVING_TRUSTED_MODELS": "local://",
        "LEEWAY_HOME": str(tmp_path / "home"),
        "LEEWAY_COMPILE_AFTER_S": "0",
    }
    command = [sys.executable, "-I", "-c", SERVE, str(code)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=200)
    assert done.stdout.splitlines()[-1:] == ["onnxruntime"], done.stdout + done.stderr
