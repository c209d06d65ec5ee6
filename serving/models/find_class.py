"""From MODEL_CLASS to a class."""

import importlib
import sys
from typing import Any

from serving.errors import LoadError

from .forms import SERVERS


def is_built_in(name: str) -> bool:
    """Whether a class name means one of ours: "", Seldon's servers, and what hub functions and MLRun's frameworks call
    theirs."""
    return not name or server_of(name) in SERVERS


def server_of(name: str) -> str:
    """Without the module of MLRun's frameworks."""
    return name.rpartition(".")[2] if name.startswith("mlrun.frameworks.") else name


def find_class(name: str, handler: str) -> type:
    """`module.Class`, or the name of a class in the module that `handler` (module:function) names.

    LoadError where there is none.
    """
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        module_name = handler.partition(":")[0] or "__main__"
    try:
        module: Any = sys.modules.get(module_name) or importlib.import_module(module_name)
    except ImportError as error:
        raise LoadError(
            f"MODEL_CLASS={name}: {error}; its module must lie beside the function's code, or be installed"
        ) from error
    kind = getattr(module, attribute, None)
    if not isinstance(kind, type):
        raise LoadError(f"MODEL_CLASS={name}: module {module_name!r} has no class {attribute!r}; give module.Class")
    return kind
