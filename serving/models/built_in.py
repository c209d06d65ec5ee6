"""Models that are read here, by the form of their file: compiled where that was done, else as they were saved."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from serving.errors import LoadError
from serving.graph.deployment import Node

from .base import Model
from .compile_cache import PACKAGES, CompileCache
from .compile_order import CompileOrder
from .engine import NATIVE, ONNX_RUNTIME, Engine
from .find_class import server_of
from .forms import COMPILED_FROM, SERVERS, SUFFIXES, TENSORFLOW, form_of, read_form
from .locate import PROFILE_FILE, Located
from .tensorflow import as_onnx
from .tensorflow_forms import SAVED_MODEL


class BuiltIn(NamedTuple):
    """`order` is there where it is still to be compiled."""

    model: Model
    engine: Engine
    order: CompileOrder | None = None


def form_at(node: Node, located: Located) -> str:
    """The form of the model; LoadError where there is none, or none that the server which was asked for takes."""
    if located.file is None:
        raise LoadError(
            f"{located.path} holds no MLmodel, no model_spec.yaml, no {SAVED_MODEL}, and not one file called "
            f"{', '.join(SUFFIXES)}"
        )
    form, server = form_of(located.file), server_of(node.class_name)
    if server and form not in SERVERS[server]:
        raise LoadError(f"{located.file} is {form}; {node.class_name} takes {' and '.join(SERVERS[server])}")
    return form


def built_in(node: Node, located: Located, form: str, names: list[str] | None, home: Path) -> BuiltIn:
    """The compiled model where there is one, else the one that was saved, and what is to be compiled of it; of
    TensorFlow's, what it was converted to."""
    assert located.file is not None
    if form == TENSORFLOW:
        model = read_form(form, as_onnx(located, home), names)
        return BuiltIn(model, Engine(ONNX_RUNTIME, "TensorFlow's model was converted by tf2onnx"))
    reason, order = _not_compiled(node, form), None
    engine = Engine(NATIVE, reason)
    if not reason:
        model, found = CompileCache(home).load(located.sha256)
        if model is not None and found is not None:
            return BuiltIn(model, found)
        engine = found or Engine(NATIVE, "its compiled form is not there yet")
        order = None if found is not None else _order(located, form, names, home)
    return BuiltIn(read_form(form, located.file, names), engine, order)


def _not_compiled(node: Node, form: str) -> str:
    """Why a model is not to be compiled; "" where it is."""
    if node.parameters.get("compile", True) is False:
        return "SERVING_PARAMS turns compiling off"
    if form not in COMPILED_FROM:
        return "its form is served as it is"
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        return f"not compiled: {missing[0]} is not installed (pip install {' '.join(missing)})"
    return ""


def _order(located: Located, form: str, names: list[str] | None, home: Path) -> CompileOrder:
    profile, rows = located.beside(PROFILE_FILE), located.rows
    return CompileOrder(
        file=str(located.file),
        sha256=located.sha256,
        form=form,
        home=str(home.absolute()),
        features=names,
        profile=str(profile or ""),
        rows=str(rows or ""),
    )
