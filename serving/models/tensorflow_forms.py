"""How models of TensorFlow are told from others, without TensorFlow."""

from pathlib import Path

from serving.errors import LoadError

SAVED_MODEL = "saved_model.pb"  # what the folder of a SavedModel is known by
KERAS = (".keras", ".h5", ".hdf5")
_NOT_TAKEN = (".pb", ".pbtxt", ".tflite", ".ckpt", ".index")


def is_tensorflows(file: Path) -> bool:
    """Whether it is a SavedModel's or Keras's. LoadError where it is TensorFlow's, and in a form that is not taken."""
    if file.suffix in _NOT_TAKEN and file.name != SAVED_MODEL:
        raise LoadError(
            f"{file} is a model of TensorFlow's that is not taken as it is; export it as a SavedModel "
            "(tf.saved_model.save, or model.export) and serve that folder, or let MODEL_CLASS name a class of your own "
            "(load, predict) that loads it, with tensorflow beside it"
        )
    return file.name == SAVED_MODEL or file.suffix in KERAS
