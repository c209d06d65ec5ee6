"""What a model runs on."""

from typing import NamedTuple

NATIVE, ONNX_RUNTIME, TREELITE = "native", "onnxruntime", "treelite"


class Engine(NamedTuple):
    """`name` is native (the library that the model was saved with), onnxruntime or treelite; `reason` says why it is
    this one."""

    name: str = NATIVE
    reason: str = ""
