"""Leeway: serve models, record every inference, find out when the world has moved away from the model.

`import leeway` is light: `leeway.start`, `leeway.plot` and `leeway.set_traffic` are resolved by name when they are
first used.
"""

from importlib import import_module

_LAZY = {"start": ".local.start", "plot": ".plotting", "set_traffic": ".steering"}


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(import_module(_LAZY[name], __package__), name)
    raise AttributeError(f"module 'leeway' has no attribute {name!r}")
