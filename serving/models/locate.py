"""Where the parts of a model lie: its file, its profile, and what MLRun wrote about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from leeway.model_hash import model_hash
from serving.errors import LoadError

from .forms import SUFFIXES
from .mlflow_folder import MLMODEL, MlflowFolder
from .stored_rows import EXAMPLE_FILE, ROWS_FILE
from .tensorflow_forms import SAVED_MODEL

PROFILE_FILE, SPEC_FILE = "leeway-profile.json", "model_spec.yaml"


@dataclass(frozen=True)
class Located:
    """`path` is what was named, `file` the model's own file (None: not found, which is a user's class's business)."""

    path: Path
    file: Path | None
    spec: Mapping[str, Any] = field(default_factory=dict)
    mlflow: MlflowFolder | None = None

    @property
    def sha256(self) -> str:
        """Of the model's file; of all that is there, where it is not known."""
        is_folder = self.file is None or self.file.name in (MLMODEL, SAVED_MODEL)
        return model_hash(self.path if is_folder else self.file)

    @property
    def profile(self) -> bytes | None:
        """The profile in the folder of the model, or beside its file."""
        file = self.beside(PROFILE_FILE)
        return file.read_bytes() if file is not None else None

    @property
    def rows(self) -> Path | None:
        """The file with its stored rows, likewise."""
        return self.beside(ROWS_FILE) or self.beside(EXAMPLE_FILE)

    def beside(self, name: str) -> Path | None:
        """A file in the folder of the model, or beside its file."""
        folders = [self.path] if self.path.is_dir() else []
        for folder in [*folders, *([self.file.parent] if self.file else [])]:
            if (folder / name).is_file():
                return folder / name
        return None


def locate(name: str, uri: str) -> Located:
    """A file, a folder that MLRun or MLflow logged or TensorFlow saved, or a folder with one model's file in it;
    LoadError where it is none."""
    path = _local(name, uri)
    if path.is_file() and path.name != SAVED_MODEL:
        return Located(path, path)
    path = path.parent if path.is_file() else path
    if not path.is_dir():
        raise LoadError(f"SERVING_MODEL_{name}={uri}: there is no such file or folder; name the model's own")
    spec = _spec(path)
    if spec:
        named = spec.get("model_file")
        file = path / named if isinstance(named, str) and named else None
        if file is None or not file.is_file():
            raise LoadError(f"{path / SPEC_FILE} names the file {named!r}, which is not in its folder; log it again")
        return Located(path, file, spec)
    if (path / MLMODEL).is_file():
        known = MlflowFolder.read(path)
        return Located(path, known.file or path / MLMODEL, mlflow=known)
    if (path / SAVED_MODEL).is_file():
        return Located(path, path / SAVED_MODEL)
    found = sorted(each for each in path.iterdir() if _may_be_a_model(each))
    return Located(path, found[0] if len(found) == 1 else None)


def _may_be_a_model(file: Path) -> bool:
    return file.suffix in SUFFIXES or file.name in ("model.json", "model.txt")


def _local(name: str, uri: str) -> Path:
    parts = urlsplit(uri)
    if "://" not in uri:
        return Path(uri).expanduser()
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    raise LoadError(f"SERVING_MODEL_{name}={uri}: {parts.scheme}:// is not read here; copy it, and name the file")


def _spec(folder: Path) -> dict[str, Any]:
    file = folder / SPEC_FILE
    if not file.is_file():
        return {}
    import yaml

    try:
        document = yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
        return document.get("spec") or document
    except (yaml.YAMLError, AttributeError) as error:
        raise LoadError(f"{file} cannot be read ({error}); log the model again") from None
