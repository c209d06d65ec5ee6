"""Models of TensorFlow without TensorFlow: what is said of them, and how what was converted answers. What TensorFlow
itself saved: tests/serving/peers/test_tensorflow.py."""

import re
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from serving.errors import LoadError
from serving.graph.deployment import Node
from serving.models import tensorflow
from serving.models.load import load
from serving.models.locate import locate


@pytest.fixture
def saved(tmp_path):
    """{form: what has it, to the eye}"""
    (tmp_path / "saved" / "variables").mkdir(parents=True)
    (tmp_path / "saved/saved_model.pb").write_bytes(b"\x08\x01")
    (tmp_path / "saved/variables/variables.index").write_bytes(b"1")
    for name in ("dense.keras", "dense.h5", "graph.pb", "lite.tflite"):
        (tmp_path / name).write_bytes(b"?")
    return tmp_path


def loaded(path, tmp_path, **more):
    return load(Node("m", uri=str(path), **more), "", tmp_path / "home")


@pytest.mark.parametrize("name", ["saved", "saved/saved_model.pb", "dense.keras", "dense.h5"])
def test_without_an_environment_that_converts_it_says_how_to_make_one(saved, tmp_path, name):
    environment = tmp_path / "home" / "tensorflow"
    expected = f"{sys.executable} -m venv {environment} && {environment}/bin/pip install {tensorflow._PACKAGES}. Or"
    with pytest.raises(LoadError, match=re.escape(expected)):
        loaded(saved / name, tmp_path)


@pytest.mark.parametrize("name", ["graph.pb", "lite.tflite"])
def test_a_form_that_is_not_converted_is_refused_with_what_to_do(saved, tmp_path, name):
    with pytest.raises(LoadError, match=r"export it as a SavedModel .* or let MODEL_CLASS name a class"):
        loaded(saved / name, tmp_path)


def test_one_from_elsewhere_that_nobody_vouches_for_is_not_read(saved, tmp_path):
    with pytest.raises(LoadError, match="nobody vouches for it"):
        loaded(saved / "saved", tmp_path, is_trusted=False)


def test_what_the_converter_says_is_passed_on(saved, tmp_path):
    """Any Python is one without tf2onnx."""
    environment = tmp_path / "home" / "tensorflow" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys._base_executable)
    with pytest.raises(LoadError, match=r"cannot be converted by tf2onnx: .*No module named 'tf2onnx'"):
        loaded(saved / "dense.h5", tmp_path)


def test_its_hash_is_that_of_all_that_belongs_to_it(saved):
    before = locate("m", str(saved / "saved")).sha256
    (saved / "saved/variables/variables.index").write_bytes(b"2")
    assert locate("m", str(saved / "saved")).sha256 != before


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
