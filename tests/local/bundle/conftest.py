import importlib.util
import sys
import tempfile
import textwrap

import pytest

from leeway.local.bundle.closure import closure
from leeway.local.bundle.source import bundle_source

VERSION = "1.2.3"


@pytest.fixture
def tree(tmp_path):
    """Write {path: text} below a folder of its own; returns the folder."""

    def write(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(textwrap.dedent(text))
        return tmp_path

    return write


@pytest.fixture
def bundle_file(tree, tmp_path_factory):
    """Bundle {path: text} into one Python file elsewhere; its handler is functions/demo/demo.py."""

    def bundle(files, wanted=()):
        text = bundle_source(VERSION, "functions.demo.demo", closure(tree(files), "functions.demo.demo", wanted))
        path = tmp_path_factory.mktemp("deployed") / "handler.py"
        path.write_text(text)
        return path

    return bundle


@pytest.fixture
def clean_process(tmp_path_factory, monkeypatch):
    """What a test loads, and the files that MLRun keeps for it, are gone after it."""
    before, meta_path = set(sys.modules), list(sys.meta_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("loaded")))
    yield
    sys.meta_path[:] = meta_path
    for name in set(sys.modules) - before:
        if name == "handler" or name.startswith("_leeway_"):
            del sys.modules[name]


@pytest.fixture
def load(clean_process):
    """Load a Python file as a host does."""

    def load_file(path):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module

    return load_file
