"""The hub: each function as MLRun's `hub://leeway/<name>` finds it, generated from functions/."""

import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import leeway
from leeway.errors import BundleError

from .bundle.closure import closure
from .bundle.function_yaml import LIMIT_KIB, function_yaml
from .bundle.item import Item
from .bundle.source import bundle_source

SOURCE, CHANNEL = "leeway", "master"


@dataclass(frozen=True)
class Built:
    """One function of the hub. `code_bytes` is the length of functionSourceCode."""

    name: str
    kind: str
    files: int
    code_bytes: int

    def __str__(self) -> str:
        size = f"{self.code_bytes / 1024:.0f} of {LIMIT_KIB[self.kind]} KiB"
        return f"{self.name}: {self.kind}, {self.files} files, {size}"


def hub_folder() -> Path:
    """Where the generated hub lies: beside a checkout's packages, or inside the installed one.

    BundleError where it is in neither.
    """
    package = Path(leeway.__file__).parent
    for folder in (package.parent / "hub", package / "hub"):
        if (folder / "functions").is_dir():
            return folder
    raise BundleError(f"no hub beside or in {package}: `make hub` generates it in a checkout")


def build_hub(root: Path, hub: Path | None = None) -> list[Built]:
    """Generate the hub of a checkout from functions/*/item.yaml into `hub` (root/hub), and link each
    functions/<name>/function.yaml to it. Writes only what changed; equal sources give equal bytes."""
    hub = hub or root / "hub"
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    folders = sorted(path.parent for path in (root / "functions").glob("*/item.yaml"))
    if not folders:
        raise BundleError(f"{root / 'functions'} holds no item.yaml; run this in a checkout of the project")
    built = [_build(root, hub, folder, version) for folder in folders]
    for stale in (hub / "functions" / CHANNEL).glob("*"):
        if stale.name not in {one.name for one in built}:
            shutil.rmtree(stale)
    return built


def _build(root: Path, hub: Path, folder: Path, version: str) -> Built:
    item = Item.read(folder)
    module = f"functions.{item.name}.{item.filename.removesuffix('.py')}"
    files = closure(root, module, item.bundle)
    source = bundle_source(version, module, files)
    text = function_yaml(item, source, (folder / item.filename).read_text())
    target = hub / "functions" / CHANNEL / item.name / "latest" / "src"
    _write(target / "function.yaml", text)
    _write(target / "item.yaml", (folder / "item.yaml").read_text())
    if hub == root / "hub":
        _link(folder / "function.yaml", target / "function.yaml")
    return Built(item.name, item.kind, len(files), -(-len(source.encode()) // 3) * 4)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def _link(link: Path, target: Path) -> None:
    relative = os.path.relpath(target, link.parent)
    if not (link.is_symlink() and os.readlink(link) == relative):  # noqa: PTH115  the text, not what it resolves to
        link.unlink(missing_ok=True)
        link.symlink_to(relative)
