"""Every command and every line of Python in the README is run by a test."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each command of the README, in its ```sh blocks or between backticks, and the test that runs it.
RUN_BY = {
    "make demo": "tests/e2e/test_demo.py",
    "make test": ".ci/run",
    "make notebook": "tests/e2e/test_notebook.py",
    "make install": ".ci/run",
    "leeway down": "tests/e2e/conftest.py",
    "leeway up": "tests/e2e/test_dashboard.py",
    "leeway apply -f canary.yaml": "tests/commands/test_apply.py",
    "leeway deploy model.pkl --reference holdout.parquet --label y": "tests/e2e/test_own_model.py",
    "leeway status": "tests/e2e/test_to_a_cluster.py",
}
# The ```python blocks run one after the other, in JupyterLab's kernel.
PYTHON_RUN_BY = "tests/e2e/test_first_minute.py"


def blocks(language):
    text = (ROOT / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands():
    lines = [line.partition("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    inline = re.findall(r"`((?:make|leeway) [^`]+)`", (ROOT / "README.md").read_text())
    return [line for line in [*lines, *inline] if line and not line.startswith(("#", "export "))]


def test_every_command_of_the_readme_is_run_by_a_test():
    assert commands(), "the README shows no command"
    assert [command for command in commands() if command not in RUN_BY] == [], "add it to RUN_BY, with the test"
    assert [command for command in RUN_BY if command not in commands()] == [], "the README does not show it any more"


@pytest.mark.parametrize("command", RUN_BY)
def test_the_test_that_is_named_for_a_command_runs_it(command):
    path = ROOT / RUN_BY[command]
    program, _, rest = command.partition(" ")
    words = [program, *rest.split()]
    if path.suffix != ".py":
        assert command in path.read_text()
        return
    strings = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    assert command in strings or all(word in strings for word in words[1:]), f"{path.name} does not run {command!r}"


def test_every_block_has_a_language_and_python_is_run_too():
    text = (ROOT / "README.md").read_text()
    fences = re.findall(r"^```(.*)$", text, re.MULTILINE)[::2]
    assert set(fences) <= {"sh", "python", "text", "mermaid"}, "only sh and python are run; text and mermaid are shown"
    if "python" in fences:
        assert "README.md" in (ROOT / PYTHON_RUN_BY).read_text()
