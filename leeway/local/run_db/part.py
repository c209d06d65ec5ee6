"""What each part of the run DB has."""

from pathlib import Path
from typing import Any

import mlrun

from .documents import Documents


class Part:
    """A group of methods of MLRun's run-DB interface, with MLRun's signatures: its docstrings say what they do."""

    def __init__(self, home: Path):
        self._home = home
        self._documents = Documents(home)


def project_or_active(project: str | None) -> str:
    return project or mlrun.mlconf.active_project


def plain(value: Any) -> dict[str, Any]:
    """The dict of a model of MLRun's, of pydantic's, or of a dict (a copy, one level deep)."""
    for name in ("to_dict", "dict"):
        if hasattr(value, name):
            return getattr(value, name)()
    return dict(value)


def now() -> str:
    """As MLRun writes times: ISO 8601, in UTC."""
    return mlrun.utils.now_date().isoformat()
