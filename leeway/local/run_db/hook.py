"""Brings the laptop's run DB into MLRun when a child process imports it; loaded by leeway_laptop.pth.

Every interpreter below one that called `leeway.start()` loads this, so it imports next to nothing.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

SWITCH = "LEEWAY_LAPTOP"
# A module of MLRun's, and the module here that changes it.
CHANGES = {"mlrun.db.factory": "factory", "mlrun.projects.project": "export_guard"}


def apply(name: str, module) -> None:
    """Change a module of MLRun's that is loaded. Twice is as good as once."""
    import_module(f".{CHANGES[name]}", __package__).apply(module)


class Hook:
    """A finder that finds nothing itself: each module in CHANGES is changed right after it was loaded."""

    def __init__(self):
        self._left = set(CHANGES)

    def find_spec(self, name, path=None, target=None):
        if name not in self._left:
            return None
        self._left.remove(name)
        spec = find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            apply(name, module)

        spec.loader.exec_module = exec_module
        return spec


def install() -> None:
    """For what this process imports from now on."""
    if not any(isinstance(finder, Hook) for finder in sys.meta_path):
        sys.meta_path.insert(0, Hook())
