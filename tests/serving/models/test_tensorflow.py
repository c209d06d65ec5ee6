"""Models of TensorFlow: refused with what to do, and served from ONNX."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from serving.errors import LoadError
from serving.models.tensorflow import refuse_tensorflow
from serving.settings import ServingSettings


@pytest.mark.parametrize("name", ["digits.h5", "digits.keras", "digits.pb", "digits.tflite"])
def test_a_model_of_tensorflows_is_refused_with_the_command_that_converts_it(name):
    with pytest.raises(
        LoadError, match=r"python -m tf2onnx\.convert .* SERVING_MODEL_m=model\.onnx needs no tensorflow"
    ):
        refuse_tensorflow(ServingSettings({"m": name}))
    refuse_tensorflow(ServingSettings({"m": name}, model_class="mine.Model"))


def test_a_saved_model_is_known_by_what_is_in_its_folder(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(LoadError, match="is a model of TensorFlow's"):
        refuse_tensorflow(ServingSettings({"m": str(tmp_path)}))
    refuse_tensorflow(ServingSettings({"m": str(tmp_path / "model.onnx")}))


def test_what_was_converted_answers_as_tensorflow_serving_does(start, tmp_path):
    """A layer as tf2onnx writes it: float32 in, a softmax over classes out."""
    weights = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Softmax", ["z"], ["p"], axis=-1)],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["unk__1", 4])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["unk__1", 3])],
        [numpy_helper.from_array(weights, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    server = start({"digits": tmp_path / "model.onnx"})
    rows = [[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0]]
    said = server.post("/v1/models/digits:predict", {"instances": rows}).json["predictions"]
    expected = np.exp(np.float32(rows) @ weights)
    assert np.allclose(said, expected / expected.sum(axis=1, keepdims=True), atol=1e-6)
