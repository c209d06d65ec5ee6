"""The tour: each notebook runs from a clean state, ends with a picture, and lies in git without its outputs."""

import ast
import os
import re
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import nbformat
import psutil
import psycopg
import pytest
from nbclient import NotebookClient

from leeway.local import platform
from leeway.settings import Settings

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PATIENCE_S = 240
EXPORTED = "# nuclio: start-code"
LOG_LINE = r"^(> )?\d{4}-\d\d-\d\d \d\d:\d\d|^\{\"(level|time|when)|\b(INFO|DEBUG|WARNING)\b"
# What each shows on its way: (the cell's last line, what is in its output)
SHOWN = {
    "01_deploy_and_call": [("project.deploy_function(fn)", "<td>elec: POST /elec/predict</td>")],
    "02_find_the_drift": [
        ("queries.profile(endpoint)", "<th>feature</th>"),
        ("incident", "what moved, strongest first"),
        ("leeway.plot(endpoint)", "image/png"),
    ],
    "05_to_a_cluster": [("leeway.plot(endpoint)", "image/png")],
}


def read(path):
    return nbformat.read(path, as_version=4)


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_outputs_are_kept_and_no_cell_defines_anything(path):
    notebook = read(path)
    assert len(notebook.cells) < 15
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None, "make notebooks strips them"
    for source in code_of(notebook):
        if source.startswith(("%%writefile", EXPORTED)):
            continue
        plain = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))
        assert not [n for n in ast.walk(ast.parse(plain)) if isinstance(n, ast.FunctionDef | ast.ClassDef)]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_a_clean_state_without_a_warning_and_ends_with_a_picture(path, tmp_path, monkeypatch):
    notebook = run(path, tmp_path / "home", monkeypatch, {})
    for last_line, what in SHOWN.get(path.stem, ()):
        assert what in _shown(notebook, last_line)
    for cell in notebook.cells:
        if '"replay"' in cell.source:
            assert "<progress" in str(cell.outputs)


@pytest.mark.slow
@pytest.mark.engine("kafka")
@pytest.mark.engine("postgres")
@pytest.mark.engine("s3")
def test_the_way_to_a_cluster_is_the_same_cells_on_other_stores(tmp_path, monkeypatch, kafka, postgres, s3):
    database, name = postgres.url.rpartition("/")[0], f"n{uuid4().hex[:8]}"
    with closing(psycopg.connect(postgres.url, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    stores = {
        "LEEWAY_STREAM": kafka.url, "LEEWAY_STATE": f"{database}/{name}", "LEEWAY_SERIES": f"{database}/{name}",
        "LEEWAY_ARCHIVE": s3.url(name),
    }  # fmt: skip
    run(NOTEBOOKS[-1], tmp_path / "home", monkeypatch, stores)
    assert not any((tmp_path / "home" / store).exists() for store in ("streams", "state", "series.db", "archive"))


def run(path, home, monkeypatch, stores):
    for name in list(os.environ):
        if name.startswith(("MLRUN_", "LEEWAY_", "PYTEST_")):
            monkeypatch.delenv(name)
    for name, url in stores.items():
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("LEEWAY_HOME", str(home))
    monkeypatch.setenv("MLRUN_IGNORE_ENV_FILE", "1")
    notebook = read(path)
    place = {"metadata": {"path": str(path.parent)}}
    try:
        NotebookClient(notebook, timeout=PATIENCE_S, kernel_name="python3", resources=place).execute()
    finally:
        platform.down(Settings(home=home))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    assert not re.search(LOG_LINE, printed, re.MULTILINE), printed
    assert any("image/png" in output.get("data", {}) for output in notebook.cells[-1].outputs)
    left = [process.pid for process in psutil.process_iter() if _belongs(process, home)]
    assert left == []
    return notebook


def _shown(notebook, last_line):
    (cell,) = [cell for cell in notebook.cells if cell.source.splitlines()[-1:] == [last_line]]
    return str([output.get("data") for output in cell.outputs])


def _belongs(process, home):
    try:
        return process.pid != os.getpid() and process.environ().get("LEEWAY_HOME") == str(home)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False
