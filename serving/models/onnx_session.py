"""ONNX Runtime. The one module that imports it: 26 MB."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_ERRORS_ONLY = 3


def onnx_session(file: Path) -> Any:
    """An InferenceSession on one thread: a worker answers one request at a time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(os.fspath(file), options, providers=["CPUExecutionProvider"])


def onnx_function(file: Path, output: str) -> Callable[[np.ndarray], np.ndarray]:
    """From a matrix (float64) to the output of that name, of a model with one input."""
    import onnxruntime

    session = onnx_session(file)
    wanted, name = [output], session.get_inputs()[0].name
    options = onnxruntime.RunOptions()  # made here: it would be made anew for each run
    return lambda matrix: session.run(wanted, {name: matrix}, options)[0]
