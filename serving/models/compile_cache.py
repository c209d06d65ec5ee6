"""Compiled models on disk, by the hash of what they were made from and the versions of all that had a hand in it."""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from leeway.model_hash import model_hash
from leeway.private_folder import private_folder

from .compiled import Compiled, CompiledForm
from .engine import NATIVE, Engine

PACKAGES = ("onnxruntime", "skl2onnx", "treelite")
_LIBRARIES = (*PACKAGES, "scikit-learn", "xgboost-cpu", "xgboost", "lightgbm", "numpy")
_FORMAT = 2
_VERDICT = "compiled.json"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of compiling a model: its `form`, or None where the native one is to serve, and why."""

    reason: str
    form: CompiledForm | None = None

    @property
    def engine(self) -> Engine:
        return Engine(self.form.engine if self.form is not None else NATIVE, self.reason)


class CompileCache:
    """Under the home. What it holds is no code: a damaged or foreign entry is as none."""

    def __init__(self, home: Path):
        self._folder = home / "models" / "compiled"

    def folder(self, sha256: str) -> Path:
        """Where the compiled form of a model lies, or will."""
        return self._folder / f"{sha256[:24]}-{_versions()}"

    def verdict(self, sha256: str) -> Verdict | None:
        """None where it was not compiled yet."""
        return self._verdict(self.folder(sha256))

    def _verdict(self, folder: Path) -> Verdict | None:
        try:
            found = msgspec.json.decode((folder / _VERDICT).read_bytes(), type=Verdict)
            if found.form is not None and model_hash(folder / found.form.file) != found.form.sha256:
                return None
        except (OSError, msgspec.MsgspecError):
            return None
        return found

    def load(self, sha256: str) -> tuple[Compiled | None, Engine | None]:
        """(the compiled model, what it runs on); without a model, why the native one is to serve; (None, None) where
        it was not compiled yet, or what is there cannot be loaded."""
        folder = self.folder(sha256)
        verdict = self._verdict(folder)
        if verdict is None:
            return None, None
        if verdict.form is None:
            return None, verdict.engine
        with suppress(Exception):  # an engine that is not what it was when it compiled this: as if it had not
            return Compiled(verdict.form, folder), verdict.engine
        return None, None

    @contextmanager
    def entry(self, sha256: str) -> Iterator[Path]:
        """A folder to compile into. It becomes the model's at the end, unless that raises."""
        private_folder(self._folder)
        folder, made = self.folder(sha256), Path(mkdtemp(dir=self._folder))
        try:
            yield made
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def write_verdict(folder: Path, verdict: Verdict) -> None:
    (folder / _VERDICT).write_bytes(msgspec.json.encode(verdict))


def _versions() -> str:
    """By the names of the folders that say what is installed: to read what is in them takes a worker 9 ms."""
    known: dict[str, str] = {}
    for folder in sys.path:
        for each in Path(folder or ".").glob("*.dist-info"):
            name, _, version = each.stem.partition("-")
            known.setdefault(name.lower().replace("_", "-"), version)
    found = [str(_FORMAT), *(f"{name}=={known[name]}" for name in _LIBRARIES if name in known)]
    return hashlib.sha256(" ".join(found).encode()).hexdigest()[:12]
