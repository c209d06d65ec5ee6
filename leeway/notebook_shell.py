"""The notebook that this process is the kernel of, if it is one's."""

import sys
from typing import Any


def notebook_shell() -> Any | None:
    """IPython's shell where a notebook's cells run in it; None elsewhere. Nothing is imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if type(shell).__name__ == "ZMQInteractiveShell" else None
