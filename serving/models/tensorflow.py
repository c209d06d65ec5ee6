"""Models of TensorFlow, run by ONNX Runtime. An environment of its own converts each once, by its hash: nothing of
TensorFlow is imported here, nor has to go together with what is installed here."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from leeway.exclusive import exclusive
from leeway.private_folder import private_folder
from serving.errors import LoadError

from .locate import Located
from .tensorflow_forms import SAVED_MODEL

_PACKAGES = "tensorflow tf2onnx" if sys.platform == "darwin" else "tensorflow-cpu tf2onnx"
_BY_HAND = "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx, and serve model.onnx"
_PATIENCE_S = 110.0  # a deployment waits 120 s for its workers


def as_onnx(located: Located, home: Path) -> Path:
    """The ONNX file of TensorFlow's model, under the home: converted where that was not done yet. LoadError says how
    to make the environment that converts, where there is none, or why the model cannot be converted."""
    assert located.file is not None
    converted = private_folder(home.absolute() / "models" / "from_tensorflow")
    kept = converted / f"{located.sha256[:24]}.onnx"
    with exclusive(converted):  # of several workers one converts
        if not kept.is_file():
            with TemporaryDirectory(dir=converted) as folder:
                made = Path(folder) / kept.name
                _convert(located.file, made, home)
                made.replace(kept)
    return kept


def _convert(file: Path, made: Path, home: Path) -> None:
    given = ["--keras", str(file)]
    if file.name == SAVED_MODEL:
        given = ["--saved-model", str(file.parent), "--signature_def", "serving_default"]
    command = [_interpreter(file, home), "-I", "-m", "tf2onnx.convert", *given, "--output", str(made)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise LoadError(f"{file}: tf2onnx took over {_PATIENCE_S:.0f} s; convert it elsewhere, {_BY_HAND}") from None
    if done.returncode or not made.is_file():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LoadError(f"{file} cannot be converted by tf2onnx: {reason}; let MODEL_CLASS name a class that loads it")


def _interpreter(file: Path, home: Path) -> str:
    environment = home.absolute() / "tensorflow"
    if (own := environment / "bin" / "python").is_file():
        return str(own)
    if find_spec("tensorflow") and find_spec("tf2onnx"):
        return sys.executable
    raise LoadError(
        f"{file} is a model of TensorFlow's, which ONNX Runtime serves once it is converted, in an environment of "
        f"TensorFlow's own. Make that: {sys.executable} -m venv {environment} && {environment}/bin/pip install "
        f"{_PACKAGES}. Or convert it elsewhere, {_BY_HAND}"
    )
