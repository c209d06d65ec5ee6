"""Models of TensorFlow, which is not imported here: who asks for one is told what serves it."""

from pathlib import Path

from serving.errors import LoadError
from serving.settings import ServingSettings

_SUFFIXES = {".h5", ".hdf5", ".keras", ".pb", ".pbtxt", ".tflite", ".ckpt", ".index"}


def refuse_tensorflow(serving: ServingSettings) -> None:
    """LoadError where a model is one of TensorFlow's and MODEL_CLASS names no class that loads it."""
    if serving.model_class:
        return
    for name, uri in serving.models.items():
        if _is_tensorflow(Path(uri)):
            raise LoadError(
                f"SERVING_MODEL_{name}={uri} is a model of TensorFlow's, which is not loaded here. Convert it once, "
                "where tensorflow is (pip install tf2onnx; python -m tf2onnx.convert --saved-model FOLDER --output "
                f"model.onnx), and serve that: SERVING_MODEL_{name}=model.onnx needs no tensorflow. Or let "
                "MODEL_CLASS name a class of your own (load, predict) that loads it, with tensorflow beside it"
            )


def _is_tensorflow(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES or (path / "saved_model.pb").is_file() or (path / "checkpoint").is_file()
