"""Compiles one model and compares the result with it: in a process of its own, which may take seconds and memory.

Linear models, forests and gradient boosting go to ONNX Runtime, what it does not take of them to treelite. It serves
only if it says what the native one says, on the rows stored with the model, on ordinary ones, and on rows whose
values lie on thresholds.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from leeway.errors import LeewayError
from leeway.model_hash import model_hash
from leeway.profile import NUMERIC, Profile

from .base import Model
from .compile_cache import CompileCache, Verdict, write_verdict
from .compile_order import CompileOrder
from .compiled import LABELS, PROBABILITIES, VALUES, Compiled, CompiledForm
from .engine import ONNX_RUNTIME, TREELITE
from .forms import read_form
from .parity import difference
from .parity_rows import ParityRows
from .scikit_learn import ScikitLearn
from .stored_rows import StoredRows

_LOOK_S = 0.5
_LINEAR = {
    "ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars", "Lasso", "LassoCV",
    "LassoLars", "LinearRegression", "LogisticRegression", "LogisticRegressionCV", "Perceptron", "Ridge", "RidgeCV",
    "SGDClassifier", "SGDRegressor", "TheilSenRegressor",
}  # fmt: skip
_FORESTS = {"ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier", "RandomForestRegressor"}
_BOOSTED = {
    "GradientBoostingClassifier", "GradientBoostingRegressor", "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor", "LGBMBooster", "LGBMBoosterClassifier", "LGBMClassifier", "LGBMRegressor",
    "XGBClassifier", "XGBRFClassifier", "XGBRFRegressor", "XGBRegressor",
}  # fmt: skip
_DOUBLE = {
    "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "LGBMBooster", "LGBMBoosterClassifier",
    "LGBMClassifier", "LGBMRegressor",
}  # fmt: skip


class NotCompiled(Exception):
    """The native model is to serve; the text says why."""


def compile_model(order: CompileOrder) -> Verdict:
    """Compile, compare, and put what came of it into the cache."""
    if model_hash(Path(order.file)) != order.sha256:
        raise LeewayError(f"{order.file} was changed after it was loaded; deploy it again")
    native = read_form(order.form, Path(order.file), order.features)
    with CompileCache(Path(order.home)).entry(order.sha256) as folder:
        verdict = _verdict(native, order, folder)
        write_verdict(folder, verdict)
    return verdict


def _verdict(native: Model, order: CompileOrder, folder: Path) -> Verdict:
    reasons = []
    assert isinstance(native, ScikitLearn)  # as all forms are that are compiled
    try:
        for engine in _engines(native):
            try:
                form, trees = _converted(native, engine, folder)
                return Verdict(reason=_compare(native, Compiled(form, folder), trees, order), form=form)
            except NotCompiled as reason:
                reasons.append(f"{engine}: {reason}")
            except Exception as error:
                text = (str(error).splitlines() or [""])[0]
                reasons.append(f"{engine} does not take it ({type(error).__name__}: {text:.160})")
    except NotCompiled as reason:
        reasons.append(str(reason))
    return Verdict(reason="; ".join(reasons))


def _engines(native: ScikitLearn) -> Iterator[str]:
    """Those that may take it, best first."""
    if native.reads_tables:
        raise NotCompiled("its rows are not all numbers")
    kind = type(native.last).__name__
    if kind in _LINEAR:
        yield ONNX_RUNTIME
    elif native.last is not native.estimator or kind not in _FORESTS | _BOOSTED:
        steps = "a pipeline that ends in " if native.last is not native.estimator else ""
        raise NotCompiled(f"{steps}{kind} is not compiled: linear models, forests and gradient boosting are")
    else:
        yield ONNX_RUNTIME
        yield TREELITE


def _converted(native: ScikitLearn, engine: str, folder: Path) -> tuple[CompiledForm, dict[int, np.ndarray]]:
    """The form, whose file lies in `folder`, and the thresholds of its trees."""
    from .convert_to_onnx import convert_to_onnx
    from .treelite_trees import convert_to_treelite, dumped, thresholds
    from .trees_to_onnx import trees_to_onnx

    kind = type(native.last).__name__
    says = PROBABILITIES if native.has_probabilities else LABELS if native.classes is not None else VALUES
    parts: dict[int, np.ndarray] = {}
    if kind not in _LINEAR:
        trees = convert_to_treelite(native.estimator)
        read = dumped(trees)
        parts = thresholds(read)
    output, file = "", folder / f"model.{engine}"
    if engine == TREELITE:
        trees.serialize(os.fspath(file))
    elif kind in _BOOSTED or (says == VALUES and kind in _FORESTS):
        output = trees_to_onnx(read, file)
    else:
        output = convert_to_onnx(native.estimator, native.width, file, says == PROBABILITIES)
    form = CompiledForm(
        engine=engine,
        class_name=native.class_name,
        width=native.width,
        says=says,
        file=file.name,
        sha256=model_hash(file),
        output=output,
        single=kind not in _LINEAR and kind not in _DOUBLE,
        allows_missing=native.allows_missing,
        features=native.features,
        classes=native.classes or [],
    )
    return form, parts


def _compare(native: ScikitLearn, compiled: Compiled, parts: dict[int, np.ndarray], order: CompileOrder) -> str:
    """What they agree on; NotCompiled where they do not."""
    draw = ParityRows(native.width, _marginals(native.width, order), parts)
    sets = {"stored": _stored(order), "ordinary": draw.ordinary()}
    if parts:
        sets["at thresholds"] = draw.at_thresholds()
    elif native.has_probabilities:
        sets["at the boundary"] = draw.at_boundary(native.labels)
    if native.allows_missing:
        sets["with missing values"] = draw.with_missing(np.concatenate([rows for rows in sets.values() if len(rows)]))
    for name, rows in sets.items():
        if len(rows) and (reason := difference(native, compiled, rows, rounding_decides=not parts)):
            raise NotCompiled(f"on {len(rows):,} rows {name} {reason}")
    told = ", ".join(f"{len(rows):,} {name}" for name, rows in sets.items() if len(rows))
    return f"says what the native model says on {told} rows"


def _stored(order: CompileOrder) -> np.ndarray:
    if not order.rows:
        return np.empty((0, 0))
    return np.array(StoredRows.read(Path(order.rows)).rows, np.float64)


def _marginals(width: int, order: CompileOrder) -> list[np.ndarray] | None:
    """Values of each column in the profile; None where there is none that fits."""
    if not order.profile:
        return None
    features = Profile.from_bytes(Path(order.profile).read_bytes()).features
    if len(features) != width or any(feature.kind != NUMERIC for feature in features):
        return None
    return [np.frombuffer(feature.sample, "<f8") for feature in features]


def main(argv: list[str]) -> int:
    """`argv` is the order, as JSON. It gives way to those who serve, and ends with the worker that asked for it."""
    os.nice(10)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    compile_model(msgspec.json.decode(argv[0], type=CompileOrder))
    return 0


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
