"""Trees that treelite has read, as ONNX models in double precision. The one module that imports onnx."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

INPUT, OUTPUT = "rows", "said"
_ML, _OPSET, _ML_OPSET, _IR = "ai.onnx.ml", 18, 5, 9  # the first in which trees are in double precision
_MODES = {"<=": 0, "<": 1, ">=": 2, ">": 3, "==": 4}
_SUM = 1
_ACTIVATIONS = {
    "identity": "", "identity_multiclass": "", "sigmoid": "Sigmoid", "multiclass_ova": "Sigmoid",
    "softmax": "Softmax", "exponential": "Exp",
}  # fmt: skip


class NoOnnxTrees(Exception):
    """These trees cannot be put into an ONNX model; the text says why."""


def trees_to_onnx(trees: Mapping[str, Any], file: Path) -> str:
    """Write them, as `treelite_trees.dumped` has them; the name of the output. NoOnnxTrees where they have leaves or
    conditions of other kinds."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    activation = _checked(trees)
    doubles = {"nodes_splits": np.float64, "leaf_weights": np.float64, "nodes_modes": np.uint8}
    found = _attributes(trees["trees"], trees["class_id"], trees["average_tree_output"])
    attributes = {
        name: numpy_helper.from_array(np.array(values, doubles[name])) if name in doubles else values
        for name, values in found.items()
    }
    (classes,) = trees["num_class"]
    nodes = [
        helper.make_node(
            "TreeEnsemble", [INPUT], ["sum"], domain=_ML, aggregate_function=_SUM, n_targets=classes, **attributes
        ),
        helper.make_node("Add", ["sum", "base"], ["raw" if activation else OUTPUT]),
    ]
    if activation:
        nodes.append(helper.make_node(activation, ["raw"], [OUTPUT]))
    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, trees["num_feature"]])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, [None, classes])],
        [numpy_helper.from_array(np.array(trees["base_scores"], np.float64), "base")],
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_ML, _ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString())
    return OUTPUT


def _checked(trees: Mapping[str, Any]) -> str:
    """The operator behind the sum, "" for none."""
    after = trees["postprocessor"]
    if after not in _ACTIVATIONS or trees["sigmoid_alpha"] != 1.0:
        raise NoOnnxTrees(f"what comes out of its trees goes through {after}")
    if trees["num_target"] != 1 or trees["leaf_vector_shape"] != [1, 1]:
        raise NoOnnxTrees("its leaves hold several numbers")
    if any(tree["has_categorical_split"] for tree in trees["trees"]):
        raise NoOnnxTrees("its trees part by categories")
    return _ACTIVATIONS[after]


def _attributes(trees: Sequence[Mapping[str, Any]], classes: Sequence[int], average: bool) -> dict[str, list]:
    """Those of TreeEnsemble: inner nodes and leaves of all trees in a row each, told by their index there."""
    found: dict[str, list] = defaultdict(list)
    share = 1.0 / len(trees) if average else 1.0
    for tree, target in zip(trees, classes):
        nodes = {node["node_id"]: node for node in tree["nodes"]}
        inner = [node for node in tree["nodes"] if "left_child" in node] or [_always(tree["nodes"][0])]
        begin = len(found["nodes_featureids"])
        index = {node["node_id"]: begin + i for i, node in enumerate(inner)}
        found["tree_roots"].append(begin)
        for node in inner:
            found["nodes_featureids"].append(node["split_feature_id"])
            found["nodes_splits"].append(node.get("threshold", np.inf))  # an infinite one is left out of the dump
            found["nodes_modes"].append(_MODES[node["comparison_op"]])
            found["nodes_missing_value_tracks_true"].append(int(node["default_left"]))
            for side, child in (("true", node["left_child"]), ("false", node["right_child"])):
                is_leaf = child not in index or "left_child" not in nodes[child]
                if is_leaf:
                    found["leaf_targetids"].append(target)
                    found["leaf_weights"].append(nodes[child]["leaf_value"] * share)
                found[f"nodes_{side}leafs"].append(int(is_leaf))
                found[f"nodes_{side}nodeids"].append(len(found["leaf_weights"]) - 1 if is_leaf else index[child])
    return dict(found)


def _always(leaf: Mapping[str, Any]) -> dict[str, Any]:
    """A condition in front of a tree that is one leaf, with that on both sides."""
    id = leaf["node_id"]
    return {
        "node_id": id, "split_feature_id": 0, "comparison_op": "<=", "default_left": True, "left_child": id,
        "right_child": id,
    }  # fmt: skip
