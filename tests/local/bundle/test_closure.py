"""The import closure holds what runs, and says what it cannot follow."""

import pytest

from leeway.errors import BundleError
from leeway.local.bundle.closure import closure


def files_of(root, *wanted):
    return list(closure(root, "functions.demo.demo", wanted))


def test_imports_are_followed_through_packages_and_functions(tree):
    root = tree(
        {
            "functions/demo/demo.py": "import json\ndef f():\n    from serving.a import x\n",
            "functions/demo/unused.py": "",
            "serving/__init__.py": "",
            "serving/a.py": "from . import b\nfrom .deep.c import y\n",
            "serving/b.py": "",
            "serving/deep/__init__.py": "",
            "serving/deep/c.py": "from ..d import z\nimport leeway.e\n",
            "serving/d.py": "",
            "serving/unused.py": "",
            "leeway/__init__.py": "",
            "leeway/e.py": "",
        }
    )
    assert files_of(root) == [
        "functions/demo/demo.py",
        "leeway/__init__.py",
        "leeway/e.py",
        "serving/__init__.py",
        "serving/a.py",
        "serving/b.py",
        "serving/d.py",
        "serving/deep/__init__.py",
        "serving/deep/c.py",
    ]


def test_imports_for_type_checkers_and_lazy_names_of_packages_do_not_grow_the_bundle(tree):
    root = tree(
        {
            "functions/demo/demo.py": "import leeway\n",
            "leeway/__init__.py": """
                from importlib import import_module
                from typing import TYPE_CHECKING
                if TYPE_CHECKING:
                    from .big import Big
                def __getattr__(name):
                    return getattr(import_module(_LAZY[name], __package__), name)
            """,
            "leeway/big.py": "",
        }
    )
    assert files_of(root) == ["functions/demo/demo.py", "leeway/__init__.py"]


def test_import_module_with_a_constant_relative_name_is_followed(tree):
    text = 'import importlib\ndef f():\n    return importlib.import_module(".near", __package__)\n'
    root = tree({"functions/demo/demo.py": text, "functions/demo/near.py": ""})
    assert files_of(root) == ["functions/demo/demo.py", "functions/demo/near.py"]


@pytest.mark.parametrize("call", ["import_module(name, __package__)", "import_module(name, package=__package__)"])
def test_a_computed_relative_import_needs_its_package_listed(tree, call):
    text = f"from importlib import import_module\ndef connect(name):\n    return {call}\n"
    root = tree(
        {
            "functions/demo/demo.py": "from leeway.backends.connect import connect\n",
            "leeway/__init__.py": "",
            "leeway/backends/__init__.py": "",
            "leeway/backends/connect.py": text,
            "leeway/backends/sqlite.py": "",
        }
    )
    with pytest.raises(BundleError, match=r"leeway/backends/connect\.py, line 3: .*customFields\.bundle"):
        files_of(root)
    assert "leeway/backends/sqlite.py" in files_of(root, "leeway.backends")


def test_a_users_own_class_may_be_imported_by_any_name(tree):
    text = "import importlib\ndef load(name):\n    return importlib.import_module(name)\n"
    assert files_of(tree({"functions/demo/demo.py": text})) == ["functions/demo/demo.py"]


@pytest.mark.parametrize(
    "text, reason",
    [
        ("\nfrom serving.gone import x", r"demo\.py, line 2: serving\.gone is imported but is not there"),
        ("import importlib\nimportlib.import_module('leeway.x')", r"line 2: import_module\(\"leeway\.x\"\) leaves"),
    ],
)
def test_an_import_that_would_fail_in_the_bundle_fails_its_making(tree, text, reason):
    with pytest.raises(BundleError, match=reason):
        files_of(tree({"functions/demo/demo.py": text}))


@pytest.mark.parametrize("wanted", ["leeway.gone", "monitoring/pages/*.html"])
def test_listed_packages_and_files_must_exist(tree, wanted):
    with pytest.raises(BundleError, match=r"customFields\.bundle names"):
        files_of(tree({"functions/demo/demo.py": ""}), wanted)
