"""uvicorn without its command line, which no worker has a use for, and which is two fifths of what its import costs
(38 of 93 ms of CPU, Python 3.11.7)."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_MAIN, _OF_MAIN = "uvicorn.main", ("Server", "main", "run")


def _import_light() -> None:
    """The package takes three names from the command line's module. Another one lends it its name meanwhile; who asks
    for one of them later, a user's function say, gets the real one."""
    lent = ModuleType(_MAIN)
    vars(lent).update(dict.fromkeys(_OF_MAIN))
    sys.modules[_MAIN] = lent
    try:
        package = import_module("uvicorn")
    finally:
        del sys.modules[_MAIN]
    for name in _OF_MAIN:
        delattr(package, name)

    def found(name: str) -> Any:
        if name not in _OF_MAIN:
            raise AttributeError(f"module 'uvicorn' has no attribute {name!r}")
        main = import_module(_MAIN)
        vars(package).update({each: getattr(main, each) for each in _OF_MAIN})
        return getattr(package, name)

    package.__getattr__ = found  # type: ignore[method-assign]


if "uvicorn" not in sys.modules:
    _import_light()

from uvicorn.config import Config  # noqa: E402
from uvicorn.server import Server  # noqa: E402

__all__ = ["Config", "Server"]
