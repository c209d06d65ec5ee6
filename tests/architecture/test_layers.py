"""The arrows between the packages hold, and every module has its place in them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_imports_follow_the_arrows():
    """In a process of its own: import-linter configures logging, which silences every logger that is there."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_module_of_the_ground_has_a_layer(packages):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    placed = {name for layer in contracts[0]["layers"] for name in re.findall(r"leeway\.\w+", layer)}
    modules = {
        ".".join(Path(source.path).with_suffix("").parts[:2]) for source in packages if source.path.count("/") <= 2
    }
    ground = {name for name in modules if name.startswith("leeway.") and name != "leeway.__init__"}
    assert sorted(ground - placed) == [], "add it to [[tool.importlinter.contracts]] in pyproject.toml"
    assert sorted(placed - ground) == [], "it is gone: take it out of [[tool.importlinter.contracts]]"
