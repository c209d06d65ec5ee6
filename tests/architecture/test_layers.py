"""The arrows between the packages hold, and every module has its place in them."""

import re
import tomllib
from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]


def test_imports_follow_the_arrows(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == EXIT_STATUS_SUCCESS


def test_every_module_of_the_ground_has_a_layer(packages):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    placed = {name for layer in contracts[0]["layers"] for name in re.findall(r"leeway\.\w+", layer)}
    modules = {
        ".".join(Path(source.path).with_suffix("").parts[:2]) for source in packages if source.path.count("/") <= 2
    }
    ground = {name for name in modules if name.startswith("leeway.") and name != "leeway.__init__"}
    assert sorted(ground - placed) == [], "add it to [[tool.importlinter.contracts]] in pyproject.toml"
    assert sorted(placed - ground) == [], "it is gone: take it out of [[tool.importlinter.contracts]]"
