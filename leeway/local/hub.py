"""The hub: each function as MLRun's `hub://leeway/<name>` finds it, generated from functions/."""

import json
import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import leeway
from leeway.errors import BundleError

from .bundle.closure import closure
from .bundle.function_yaml import LIMIT_KIB, function_yaml
from .bundle.item import Item
from .bundle.source import bundle_source

SOURCE, CHANNEL = "leeway", "master"
LATEST, CATALOG = "latest", "catalog.json"


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
    functions/<name>/function.yaml to it. Writes only what changed; equal sources give equal bytes.

    The layout is that of MLRun's hub: functions/<channel>/<name>/<tag>/src/{function,item}.yaml, with the tags latest
    and the item's version, and functions/<channel>/catalog.json. A folder or any web server can be the source.
    """
    hub = hub or root / "hub"
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    folders = sorted(path.parent for path in (root / "functions").glob("*/item.yaml"))
    if not folders:
        raise BundleError(f"{root / 'functions'} holds no item.yaml; run this in a checkout of the project")
    built = [_build(root, hub, folder, version) for folder in folders]
    channel = hub / "functions" / CHANNEL
    for stale in channel.glob("*/"):
        if stale.name not in {one.name for one in built}:
            shutil.rmtree(stale)
    _write(channel / CATALOG, json.dumps(catalog(folders), indent=1, sort_keys=True) + "\n")
    return built


def catalog(folders: list[Path]) -> dict[str, Any]:
    """What MLRun's service reads of a hub: {name: {tag: item}}, from the item.yaml of each folder."""
    items = [yaml.safe_load((folder / "item.yaml").read_text()) for folder in folders]
    assets = {"function": "src/function.yaml", "item": "src/item.yaml"}
    return {
        item["name"]: {tag: {**item, "assets": assets} for tag in (LATEST, str(item.get("version") or LATEST))}
        for item in items
    }


def _build(root: Path, hub: Path, folder: Path, version: str) -> Built:
    item = Item.read(folder)
    module = f"functions.{item.name}.{item.filename.removesuffix('.py')}"
    files = closure(root, module, item.bundle)
    source = bundle_source(version, module, files)
    text = function_yaml(item, source, (folder / item.filename).read_text())
    home = hub / "functions" / CHANNEL / item.name
    for stale in home.glob("*/"):
        if stale.name not in (LATEST, item.version):
            shutil.rmtree(stale)
    for tag in (LATEST, item.version):
        _write(home / tag / "src/function.yaml", text)
        _write(home / tag / "src/item.yaml", (folder / "item.yaml").read_text())
    if hub == root / "hub":
        _link(folder / "function.yaml", home / LATEST / "src/function.yaml")
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
