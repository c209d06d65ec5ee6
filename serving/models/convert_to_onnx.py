"""Estimators of scikit-learn as ONNX models in double precision. The one module that imports skl2onnx: seconds."""

from pathlib import Path
from typing import Any

INPUT = "rows"
_TRACKS_TRUE = "nodes_missing_value_tracks_true"


def convert_to_onnx(estimator: Any, width: int, file: Path, wants_probabilities: bool) -> str:
    """Write what leads to its probabilities, or else to what it predicts; the name of the output. Whatever skl2onnx
    raises where it cannot."""
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType

    options = {"zipmap": False} if hasattr(estimator, "classes_") else None
    found = skl2onnx.to_onnx(estimator, initial_types=[(INPUT, DoubleTensorType([None, width]))], options=options)
    if hasattr(estimator, "estimators_"):
        _send_missing_values(found.graph, estimator.estimators_)
    output = found.graph.output[1 if wants_probabilities else 0].name
    _keep(found.graph, output)
    file.write_bytes(found.SerializeToString())
    return output


def _keep(graph: Any, output: str) -> None:
    """Only what leads to one output: what runs for another costs as much."""
    needed, nodes = {output}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.insert(0, node)
    for field, kept in (
        (graph.node, nodes),
        (graph.output, [each for each in graph.output if each.name == output]),
        (graph.initializer, [each for each in graph.initializer if each.name in needed]),
    ):
        del field[:]
        field.extend(kept)


def _send_missing_values(graph: Any, trees: Any) -> None:
    """To the side to which the trees send them; skl2onnx sends all of them to the right."""
    for node in graph.node:
        found = {attribute.name: attribute for attribute in node.attribute}
        if _TRACKS_TRUE in found:
            nodes = zip(found["nodes_treeids"].ints, found["nodes_nodeids"].ints)
            found[_TRACKS_TRUE].ints[:] = [int(trees[tree].tree_.missing_go_to_left[i]) for tree, i in nodes]
