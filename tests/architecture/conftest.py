import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("leeway", "serving", "monitoring")


@dataclass(frozen=True)
class Source:
    """One Python file of the project; `path` is relative to its root."""

    path: str
    text: str

    @property
    def tree(self):
        return ast.parse(self.text, self.path)


def _sources(folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


@pytest.fixture(scope="session")
def packages():
    """Every source file of the packages."""
    return [source for package in PACKAGES for source in _sources(package)]


@pytest.fixture(scope="session")
def product(packages):
    """Every source file that runs for a user: the packages, the functions, the workflows."""
    return [*packages, *(source for folder in ("functions", "workflows") for source in _sources(folder))]


@pytest.fixture(scope="session")
def everything(product):
    return [*product, *_sources("tests")]


@pytest.fixture(scope="session")
def tracked():
    """The path of every file that is, or would be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def imports():
    """(name, line, is it run at import) of each absolute import in a tree; what only type checkers see is left out."""

    def find(tree):
        return list(_imports(tree, True))

    return find


def _imports(node, at_import):
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from ((alias.name, node.lineno, at_import) for alias in node.names)
    if isinstance(node, ast.ImportFrom) and not node.level:
        yield node.module, node.lineno, at_import
    inside = at_import and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, inside)
