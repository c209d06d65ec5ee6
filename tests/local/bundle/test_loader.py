"""A bundle behaves as the packages that it was made of, wherever it is loaded."""

import inspect
import subprocess
import sys
import traceback

import pytest

ANSWER = {"serving/__init__.py": "", "serving/answer.py": "def answer():\n    return 42\n"}


@pytest.mark.parametrize(
    "statement, expression",
    [
        ("from serving.answer import answer", "answer()"),
        ("from serving import answer", "answer.answer()"),
        ("import serving.answer", "serving.answer.answer()"),
        ("import serving.answer as a", "a.answer()"),
        ("import json, serving.answer as a, os", "a.answer()"),
        ("from serving.answer import (\n    answer as b,\n)", "b()"),
        ("import importlib", "importlib.import_module('..other', __package__).answer()"),
    ],
)
@pytest.mark.parametrize("lazy", [False, True], ids=["at the top", "inside a function"])
def test_every_form_of_import_finds_the_bundled_module(bundle_file, load, statement, expression, lazy):
    body = f"{statement}\ndef handler():\n    return {expression}\n"
    if lazy:
        body = f"def handler():\n    {statement}\n    return {expression}\n"
    other = {"functions/other.py": "from serving.answer import answer\n"}
    module = load(bundle_file({**ANSWER, **other, "functions/demo/demo.py": body}))
    assert module.handler() == 42


def test_bundle_leaves_no_public_package_behind_and_an_installed_one_alone(bundle_file, load):
    import leeway

    module = load(
        bundle_file({"leeway/__init__.py": "WHO = 'bundled'", "functions/demo/demo.py": "from leeway import WHO"})
    )
    assert module.WHO == "bundled"
    assert sys.modules["leeway"] is leeway
    assert not hasattr(leeway, "WHO")


def test_missing_module_of_ours_is_not_taken_from_an_installed_leeway(bundle_file, load):
    text = "def handler():\n    name = 'leeway.settings'\n    return __import__(name)\n"
    module = load(bundle_file({"functions/demo/demo.py": text}))
    with pytest.raises(ModuleNotFoundError, match="leeway"):
        module.handler()


def test_two_bundles_in_one_process_stay_apart(bundle_file, load):
    first = load(bundle_file({"serving/__init__.py": "N = 1", "functions/demo/demo.py": "from serving import N\n"}))
    second = load(bundle_file({"serving/__init__.py": "N = 2", "functions/demo/demo.py": "from serving import N\n"}))
    assert (first.N, second.N) == (1, 2)


def test_the_same_content_twice_is_one_copy(bundle_file, load):
    path = bundle_file({"functions/demo/demo.py": "def handler():\n    return 1\n"})
    assert load(path).handler is load(path).handler


def test_traceback_names_the_file_and_line_of_the_repository_and_shows_the_source(bundle_file, load):
    files = {"serving/__init__.py": "", "serving/broken.py": "def fail():\n    x = 1\n    return x / 0  # here\n"}
    text = "from serving.broken import fail\n\ndef handler():\n    return fail()\n"
    module = load(bundle_file({**files, "functions/demo/demo.py": text}))
    with pytest.raises(ZeroDivisionError) as caught:
        module.handler()
    report = "".join(traceback.format_exception(caught.value))
    assert 'File "leeway-1.2.3/serving/broken.py", line 3, in fail\n    return x / 0  # here' in report
    assert inspect.getsource(module.fail).startswith("def fail():")


def test_init_context_and_handler_are_defined_in_the_module_that_nuclio_asks(bundle_file, load):
    text = "def init_context(context):\n    pass\n\ndef handler(context, event):\n    pass\n"
    module = load(bundle_file({"functions/demo/demo.py": text}))
    assert sys.modules[module.handler.__module__].init_context is module.init_context


def test_bundled_files_are_read_as_resources(bundle_file, load):
    text = """
        import importlib.resources
        import pkgutil

        def handler():
            files = importlib.resources.files(__package__)
            return files.joinpath("page.html").read_text(), pkgutil.get_data(__package__, "page.html").decode()
    """
    files = {"functions/demo/demo.py": text, "functions/demo/page.html": "<p>ü</p>"}
    module = load(bundle_file(files, wanted=["functions/demo/*.html"]))
    assert module.handler() == ("<p>ü</p>", "<p>ü</p>")


def test_a_bundled_module_runs_in_a_process_of_its_own(bundle_file):
    child = "def main(argv):\n    print('child', *argv)\n    return 3\n"
    text = "def handler():\n    from serving import child\n"
    path = bundle_file({"serving/__init__.py": "", "serving/child.py": child, "functions/demo/demo.py": text})
    done = subprocess.run([sys.executable, path, "serving.child", "a", "b"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "child a b\n")
    assert "usage" in subprocess.run([sys.executable, path], capture_output=True, text=True).stderr


def test_main_file_of_the_loader_tells_where_the_bundle_lies(bundle_file, load):
    text = "def handler():\n    return __spec__.loader.main_file\n"
    path = bundle_file({"functions/demo/demo.py": text})
    assert load(path).handler() == str(path)


def test_dataclasses_and_annotations_resolve_in_bundled_modules(bundle_file, load):
    text = """
        from __future__ import annotations
        import dataclasses
        import typing

        @dataclasses.dataclass(frozen=True)
        class Row:
            values: list[float]

        def handler():
            return typing.get_type_hints(Row), Row([1.0]) == Row([1.0])
    """
    module = load(bundle_file({"functions/demo/demo.py": text}))
    assert module.handler() == ({"values": list[float]}, True)
