"""The forms in which models lie on disk: told by what a file begins with, and read."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from serving.errors import LoadError

from .base import Model
from .mlflow_folder import MLMODEL
from .tensorflow_forms import KERAS, is_tensorflows

# How a pickle begins, and what joblib makes of one: zlib, gzip, bz2, xz, lzma, lz4.
_PICKLE_MAGIC = (b"\x80", b"x", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"]\x00", b'\x04"M\x18')
_BEGIN = 64
TENSORFLOW = "tensorflow"  # read once it was converted to ONNX
PICKLED = (".pkl", ".pickle", ".joblib", ".p", ".sav")
SUFFIXES = (*PICKLED, ".onnx", ".skops", ".ubj", ".bst", ".xgb", ".lgb", *KERAS)
_PIP = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu", "mlflow": "mlflow-skinny"}


def form_of(file: Path) -> str:
    """The name of its form; LoadError where none is known."""
    with file.open("rb") as opened:
        begin = opened.read(_BEGIN)
    for name, form in _FORMS.items():
        if form.is_it(file, begin):
            return name
    raise LoadError(
        f"{file} is in no form that is known: expected a scikit-learn model (pickled, or dumped with joblib or skops), "
        "XGBoost's or LightGBM's own file, an ONNX model, TensorFlow's SavedModel or a file of Keras, or a folder that "
        "MLflow or MLRun logged; for others, "
        "MODEL_CLASS names a class of your own that loads it"
    )


def read_form(form: str, file: Path, features: list[str] | None) -> Model:
    """The model in a file; `features` are the names of its columns, where they are known beside it. LoadError where a
    package is missing that it needs."""
    try:
        return _FORMS[form].read(file, features)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise LoadError(
            f"{file} needs {package}, which is not installed: pip install {_PIP.get(package, package)}"
        ) from error


def runs_code(form: str) -> bool:
    """Whether reading a file of that form runs what is in it."""
    return form in ("pickled", "mlflow", TENSORFLOW)


def _is_pickled(file: Path, begin: bytes) -> bool:
    return begin.startswith(_PICKLE_MAGIC) and (begin[:1] != b"x" or file.suffix in PICKLED)


def _is_xgboosts(file: Path, begin: bytes) -> bool:
    return begin.startswith((b'{"learner"', b'{"Learner"', b"binf")) or (begin[:1] == b"{" and b"\x07learner{" in begin)


def _read_pickled(file: Path, features: list[str] | None) -> Model:
    import joblib

    from .scikit_learn import ScikitLearn

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = joblib.load(file)
    model = ScikitLearn(estimator, features)  # it sets a filter of its own, which has to stay
    told = {str(each.message) for each in caught if each.category.__name__ == "InconsistentVersionWarning"}
    model.warnings = tuple(sorted(text.partition(" This might")[0] for text in told))
    return model


def _read_skops(file: Path, features: list[str] | None) -> Model:
    import skops.io

    from .scikit_learn import ScikitLearn

    return ScikitLearn(skops.io.load(file), features)


def _read_xgboost(file: Path, features: list[str] | None) -> Model:
    from .scikit_learn import ScikitLearn
    from .xgboost_model import read_xgboost

    return ScikitLearn(read_xgboost(file), features)


def _read_lightgbm(file: Path, features: list[str] | None) -> Model:
    from .lightgbm_model import read_lightgbm
    from .scikit_learn import ScikitLearn

    return ScikitLearn(read_lightgbm(file), features)


def _read_onnx(file: Path, features: list[str] | None) -> Model:
    from .onnx_model import OnnxModel

    return OnnxModel(file, features)


def _read_mlflow(file: Path, features: list[str] | None) -> Model:
    from .mlflow_models import MlflowModel

    return MlflowModel(file.parent)


class _Form(NamedTuple):
    is_it: Callable[[Path, bytes], bool]
    read: Callable[[Path, list[str] | None], Model]


_FORMS = {
    "mlflow": _Form(lambda file, begin: file.name == MLMODEL, _read_mlflow),
    "onnx": _Form(lambda file, begin: file.suffix == ".onnx", _read_onnx),
    "skops": _Form(lambda file, begin: file.suffix == ".skops" and begin.startswith(b"PK"), _read_skops),
    "xgboost": _Form(_is_xgboosts, _read_xgboost),
    "lightgbm": _Form(lambda file, begin: begin.startswith(b"tree\n"), _read_lightgbm),
    TENSORFLOW: _Form(lambda file, begin: is_tensorflows(file), _read_onnx),
    "pickled": _Form(_is_pickled, _read_pickled),
}
COMPILED_FROM = frozenset({"pickled", "skops", "xgboost", "lightgbm"})
# What a server is called, in Seldon's words and in those of MLRun's frameworks, and the forms that it is for.
SERVERS: dict[str, tuple[str, ...]] = {
    "SKLEARN_SERVER": ("pickled", "skops"),
    "XGBOOST_SERVER": ("xgboost", "pickled"),
    "LIGHTGBM_SERVER": ("lightgbm", "pickled"),
    "ONNX_SERVER": ("onnx",),
    "MLFLOW_SERVER": tuple(_FORMS),
    "ClassifierModel": tuple(_FORMS),
    "RegressorModel": tuple(_FORMS),
    "SklearnModel": ("pickled", "skops"),
    "SKLearnModelServer": ("pickled", "skops"),
    "SklearnModelServer": ("pickled", "skops"),
    "XGBoostModelServer": ("xgboost", "pickled"),
    "LGBMModelServer": ("lightgbm", "pickled"),
    "ONNXModelServer": ("onnx",),
}
