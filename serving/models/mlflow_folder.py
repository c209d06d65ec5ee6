"""A folder that MLflow logged, read without MLflow: what its MLmodel says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.errors import LoadError

MLMODEL = "MLmodel"
# Of each flavour that is read without MLflow: where it names its file, and its version.
_FLAVOURS = {
    "sklearn": ("pickled_model", "sklearn_version", "scikit-learn"),
    "xgboost": ("data", "xgb_version", "xgboost"),
    "lightgbm": ("data", "lgb_version", "lightgbm"),
    "onnx": ("data", "onnx_version", "onnx"),
}


@dataclass(frozen=True)
class MlflowFolder:
    """`file` is the model's own, None where only MLflow knows how to load it; `versions` are those of the libraries
    that it was logged with, `features` its columns where they have names."""

    file: Path | None
    versions: Mapping[str, str] = field(default_factory=dict)
    features: list[str] | None = None

    @classmethod
    def read(cls, folder: Path) -> "MlflowFolder":
        """LoadError where its MLmodel is none."""
        import yaml

        mlmodel = folder / MLMODEL
        try:
            document = yaml.load(mlmodel.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            flavours = dict(document["flavors"])
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise LoadError(
                f"{mlmodel} cannot be read ({type(error).__name__}: {error}); log the model again"
            ) from None
        file, versions = None, {}
        for name, (key, version, package) in _FLAVOURS.items():
            flavour = flavours.get(name) or {}
            if version in flavour:
                versions[package] = str(flavour[version])
            if file is None and isinstance(flavour.get(key), str) and (folder / flavour[key]).is_file():
                file = folder / flavour[key]
        if file is None and "python_function" not in flavours:
            raise LoadError(f"{mlmodel} has the flavours {', '.join(flavours)}, none of which can be served")
        return cls(file, versions, _features(document.get("signature")))


def _features(signature: Any) -> list[str] | None:
    import orjson

    try:
        names = [each.get("name") for each in orjson.loads(signature["inputs"])]
    except (TypeError, KeyError, AttributeError, orjson.JSONDecodeError):
        return None
    return names if names and all(isinstance(name, str) for name in names) else None
