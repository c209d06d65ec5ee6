"""Each function of the hub loads with what its one file holds, far from the checkout and from an installed leeway."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HUB = Path(__file__).parents[2] / "hub/functions/master"
NAMES = sorted(path.name for path in HUB.glob("*/"))
LOAD_ALL = """
import importlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("main", sys.argv[1])
main = importlib.util.module_from_spec(spec)
spec.loader.exec_module(main)
assert callable(getattr(main, sys.argv[2]))
bundle = sys.modules[getattr(main, sys.argv[2]).__module__].__spec__.loader
for path in bundle.files:
    if path.endswith(".py"):
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        importlib.import_module(f"{bundle.prefix}.{name}")
ours = ("leeway", "serving", "monitoring", "functions")
print(sorted(name for name in sys.modules if name.partition(".")[0] in ours))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_bundled_module_loads_from_the_one_file(name, tmp_path):
    document = yaml.safe_load((HUB / name / "latest/src/function.yaml").read_text())
    spec = document["spec"]
    build = spec.get("base_spec", {}).get("spec", spec)["build"]
    (tmp_path / "deployed.py").write_bytes(base64.b64decode(build["functionSourceCode"]))
    graph = spec.get("graph", {}).get("class_name")
    handler = graph or spec.get("default_handler") or spec["function_handler"].partition(":")[2]
    command = [sys.executable, "-I", "-c", LOAD_ALL, str(tmp_path / "deployed.py"), handler]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LEEWAY_", "MLRUN_"))}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
