"""Estimators of scikit-learn as ONNX models in double precision. The one module that imports skl2onnx: seconds."""

from pathlib import Path
from typing import Any

INPUT = "rows"
_TRACKS_TRUE = "nodes_missing_value_tracks_true"


def convert_to_onnx(estimator: Any, width: int, file: Path) -> list[str]:
    """Write it; the names of its outputs. Whatever skl2onnx raises where it cannot."""
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType

    options = {"zipmap": False} if hasattr(estimator, "classes_") else None
    found = skl2onnx.to_onnx(estimator, initial_types=[(INPUT, DoubleTensorType([None, width]))], options=options)
    if hasattr(estimator, "estimators_"):
        _send_missing_values(found.graph, estimator.estimators_)
    file.write_bytes(found.SerializeToString())
    return [output.name for output in found.graph.output]


def _send_missing_values(graph: Any, trees: Any) -> None:
    """To the side to which the trees send them; skl2onnx sends all of them to the right."""
    for node in graph.node:
        found = {attribute.name: attribute for attribute in node.attribute}
        if _TRACKS_TRUE in found:
            nodes = zip(found["nodes_treeids"].ints, found["nodes_nodeids"].ints)
            found[_TRACKS_TRUE].ints[:] = [int(trees[tree].tree_.missing_go_to_left[i]) for tree, i in nodes]
