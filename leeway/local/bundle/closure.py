"""Which files a function needs: everything of ours that it imports, found without running anything.

Imports inside functions count too. What an import statement does not say is not found, so two rules hold for bundled
code: `importlib.import_module(".x", __package__)` has a constant name, or its package is listed as needed whole
(customFields.bundle in item.yaml). The lazy names of a package (`__getattr__`) are not followed.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from leeway.errors import BundleError

from .loader import ROOTS


def closure(root: Path, module: str, wanted: Iterable[str] = ()) -> dict[str, str]:
    """{path: text} of `module` and of all that it needs, by path. `wanted` adds whole packages ("leeway.backends") and
    files that are no modules ("monitoring/pages/*.html").

    BundleError: something of ours is imported that is not there, or by a name that only shows at run time.
    """
    wanted = list(wanted)
    packages = [entry for entry in wanted if "/" not in entry]
    waiting = [module, *(name for package in packages for name in _modules_in(root, package))]
    files: dict[str, str] = dict(_data_files(root, wanted))
    while waiting:
        for path in _files_of(root, waiting.pop()):
            if path not in files:
                files[path] = (root / path).read_text()
                waiting += _Imports(root, path, files[path], packages).names
    return dict(sorted(files.items()))


class _Imports(ast.NodeVisitor):
    """`names`: the modules of ours that one file imports."""

    def __init__(self, root: Path, path: str, text: str, packages: list[str]):
        self._root, self._path, self._packages = root, path, packages
        self._package = path.rpartition("/")[0].replace("/", ".")
        self.names: list[str] = []
        self.visit(ast.parse(text, path))

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name != "__getattr__":
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        name = self._absolute("." * node.level + (node.module or ""))
        if name.partition(".")[0] in ROOTS:
            self._add(name, node)
            self.names += [inner for a in node.names if _is_module(self._root, inner := f"{name}.{a.name}")]

    def visit_Call(self, node: ast.Call) -> None:
        if _called(node) == "import_module" and node.args:
            self._import_module(node, node.args[0])
        self.generic_visit(node)

    def _import_module(self, node: ast.Call, name: ast.expr) -> None:
        relative = len(node.args) + len(node.keywords) > 1
        if isinstance(name, ast.Constant) and relative:
            self._add(self._absolute(name.value), node)
        elif isinstance(name, ast.Constant) and name.value.partition(".")[0] in ROOTS:
            raise self._error(
                node, f'import_module("{name.value}") leaves the bundle: import_module(".x", __package__)'
            )
        elif relative and not any(f"{self._package}.".startswith(f"{package}.") for package in self._packages):
            raise self._error(
                node,
                "import_module with a name that is computed: list its package under customFields.bundle of item.yaml, "
                f"now {self._packages}",
            )

    def _absolute(self, name: str) -> str:
        level = len(name) - len(name.lstrip("."))
        if not level:
            return name
        parts = self._package.split(".")
        return ".".join([*parts[: len(parts) - level + 1], *filter(None, [name[level:]])])

    def _add(self, name: str, node: ast.AST) -> None:
        if name.partition(".")[0] not in ROOTS:
            return
        if not _is_module(self._root, name):
            raise self._error(node, f"{name} is imported but is not there")
        self.names.append(name)

    def _error(self, node: ast.AST, text: str) -> BundleError:
        return BundleError(f"{self._path}, line {node.lineno}: {text}")


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _is_module(root: Path, name: str) -> bool:
    path = root / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def _files_of(root: Path, name: str) -> Iterator[str]:
    """The files that importing a module runs: its packages' `__init__`, then its own."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        path = "/".join(parts[:end])
        for candidate in (f"{path}/__init__.py", f"{path}.py"):
            if (root / candidate).is_file():
                yield candidate


def _modules_in(root: Path, package: str) -> list[str]:
    folder = root / package.replace(".", "/")
    found = [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(folder.rglob("*.py"))]
    if not found:
        raise BundleError(f"customFields.bundle names {package!r}: there is no such package under {root}")
    return [name.removesuffix(".__init__") for name in found]


def _data_files(root: Path, wanted: Iterable[str]) -> Iterator[tuple[str, str]]:
    for pattern in wanted:
        if "/" in pattern:
            found = sorted(root.glob(pattern))
            if not found:
                raise BundleError(f"customFields.bundle names {pattern!r}: no file under {root} is called so")
            yield from ((path.relative_to(root).as_posix(), path.read_text()) for path in found)
