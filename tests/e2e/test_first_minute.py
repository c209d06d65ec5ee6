"""The README's lines of Python run as they are written, with no service behind them: in a script and in JupyterLab."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from leeway.local import platform
from leeway.settings import Settings

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240
TRAIN = 'import mlrun\nmlrun.load_project("./").run_function("train", inputs={"data": "data/elec2.parquet"})'
SHOW = 'print("answered", fn.invoke("elec_v1/predict", {"instances": [[0.5, 0.06, 0.44, 0.003, 0.42, 0.41]] * 2}))'

pytestmark = pytest.mark.slow


def readme_cells():
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which the model was trained, as `make demo` leaves it."""
    home = tmp_path_factory.mktemp("first-minute") / "home"
    script(home, TRAIN)
    yield home
    platform.down(Settings(home=home))


def environment(home):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLRUN_", "LEEWAY_"))}
    return {**kept, "LEEWAY_HOME": str(home), "MLRUN_IGNORE_ENV_FILE": "1"}


def script(home, text):
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def notebook(home, cells, monkeypatch):
    for name in list(os.environ):
        if name not in environment(home):
            monkeypatch.delenv(name)
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(document, timeout=PATIENCE_S, kernel_name="python3", resources={"metadata": {"path": ROOT}})
    client.execute()
    outputs = [output for cell in document.cells for output in cell.outputs]
    errors = [output.text for output in outputs if output.get("name") == "stderr"]
    return "".join(output.text for output in outputs if output.get("name") == "stdout"), "".join(errors)


def test_the_readme_shows_the_calls_that_mlruns_users_know():
    text = "".join(readme_cells())
    for call in (
        'mlrun.load_project("./")',
        'set_function("hub://leeway/model_server"',
        "deploy_function(",
        "fn.invoke(",
    ):
        assert call in text


def test_in_an_empty_process(home):
    assert "answered {" in (out := script(home, "\n".join([*readme_cells(), SHOW]))), out
    assert "'predictions': [" in out


def test_in_jupyterlabs_kernel_without_a_warning(home, monkeypatch):
    out, errors = notebook(home, [*readme_cells(), SHOW], monkeypatch)
    assert "answered {" in out
    assert errors == ""


def test_loading_the_project_again_leaves_its_file_as_it_is(home):
    before = (ROOT / "project.yaml").read_bytes()
    load = 'import mlrun\nmlrun.load_project("./")\nmlrun.load_project("./").save()'
    script(home, load)
    assert (ROOT / "project.yaml").read_bytes() == before
