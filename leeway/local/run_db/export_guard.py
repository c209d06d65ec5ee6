"""Keeps MLRun from rewriting a project.yaml that says the same already.

Each `project.save()`, and so each load, writes it anew: comments gone, keys in a random order, its own fields added.
"""

import functools
from pathlib import Path
from typing import Any

import yaml

# What MLRun adds to a project that was only loaded.
_ADDED = {"context", "created", "desired_state", "origin_url", "owner", "source", "state", "status"}


def apply(module) -> None:
    """Change `mlrun.projects.project`."""
    project = module.MlrunProject
    original = project.export
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def export(self, filepath=None, include_files=None):
        path = Path(self.spec.context or ".", self.spec.subpath or "", "project.yaml")
        if filepath or not path.is_file() or not _same(project, path, self):
            original(self, filepath, include_files)

    project.export = export


def _same(project: type, path: Path, one: Any) -> bool:
    written = project.from_dict(yaml.safe_load(path.read_text()))
    return _said(written.to_dict()) == _said(one.to_dict())


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _said(v) for k, v in value.items() if k not in _ADDED and v not in ("", None, {}, [])}
    return [_said(each) for each in value] if isinstance(value, list) else value
