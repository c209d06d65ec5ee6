"""From a function document to a generation: its code on disk, under a name that says whether anything changed."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .function_spec import FunctionSpec
from .home import FunctionHome, read_json, write_json

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("leeway", "serving", "monitoring")
_SKIPPED = {"__pycache__", "node_modules"}
_LARGE = 1_000_000


@dataclass(frozen=True)
class Generation:
    """One version of a function. `folder` holds document.json, and the code where the document brought it."""

    name: str
    spec: FunctionSpec
    folder: Path
    ready_s: float = 0.0


def prepare(home: FunctionHome, document: Mapping[str, Any]) -> Generation:
    """Write what a worker needs, if it is not there yet; PlatformError where the document cannot be run."""
    spec = FunctionSpec.read(document)
    name = fingerprint(document, spec)
    folder = home.code(name)
    if not (folder / "document.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if spec.source is not None:
            module = folder / (spec.module.replace(".", "/") + ".py")
            module.parent.mkdir(parents=True, exist_ok=True)
            module.write_bytes(spec.source)
        write_json(folder / "document.json", document)
    return Generation(name, spec, folder, _ready_s(document))


def load(home: FunctionHome, name: str) -> Generation:
    """A generation that `prepare` wrote before."""
    document = read_json(home.code(name) / "document.json")
    return Generation(name, FunctionSpec.read(document), home.code(name), _ready_s(document))


def _ready_s(document: Mapping[str, Any]) -> float:
    return float((document.get("spec") or {}).get("readinessTimeoutSeconds") or 0)


def fingerprint(document: Mapping[str, Any], spec: FunctionSpec) -> str:
    """Twelve hex digits over all that a worker's behaviour depends on: document, code, and Leeway's own code."""
    annotations = (document.get("metadata") or {}).get("annotations") or {}
    parts = [json.dumps([spec.name, spec.project, annotations, document.get("spec")], sort_keys=True, default=str)]
    if spec.path is not None:
        parts += _contents(spec.path)
    for package in _PACKAGES:
        parts += _stamps(_ROOT / package)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in _SKIPPED and not path.name.startswith("."):
            yield from _files(path)
        elif path.is_file():
            yield path


def _contents(path: Path) -> Iterator[str]:
    for file in [path] if path.is_file() else _files(path):
        stat = file.stat()
        what = hashlib.sha256(file.read_bytes()).hexdigest() if stat.st_size <= _LARGE else str(stat.st_mtime_ns)
        yield f"{file} {stat.st_size} {what}"


def _stamps(package: Path) -> Iterator[str]:
    for file in _files(package) if package.is_dir() else ():
        if file.suffix == ".py":
            stat = file.stat()
            yield f"{file} {stat.st_size} {stat.st_mtime_ns}"
