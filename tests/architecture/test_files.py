"""Files stay small, and say nothing about the machine that they were written on."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

MOST_LINES = 350
# In two halves, so that this file does not hold what it looks for.
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".", "crates" + ".io", "proxy.golang" + ".org"]
MACHINE = ["/wo" + "rk/", "/ro" + "ot/", "/opt" + "/wheels", "/tmp" + "/w/", "/ho" + "me/"]


def test_no_file_is_long(everything):
    long = {source.path: n for source in everything if (n := len(source.text.splitlines())) > MOST_LINES}
    assert long == {}


def test_no_committed_file_names_an_index_or_a_path_of_this_machine(tracked):
    found = []
    for path in tracked:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.name}: {word}" for word in HOSTS + MACHINE if word in text]
    assert found == []


def test_files_end_with_one_newline_and_carry_no_trailing_blanks(everything):
    wrong = [s.path for s in everything if s.text and (not s.text.endswith("\n") or re.search(r"[ \t]\n", s.text))]
    assert wrong == []


def test_examples_in_docstrings_give_what_they_show(packages):
    examples = [source.path for source in packages if ">>>" in source.text]
    assert examples
    for path in examples:
        module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        assert doctest.testmod(module).failed == 0, path


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock", ".gitignore", "Makefile", "LICENSE"])
def test_the_files_that_make_the_project_are_committed(tracked, name):
    assert Path(name) in {path.relative_to(Path(__file__).parents[2]) for path in tracked}


def test_the_lock_is_pinned_and_hashed(tracked):
    lock = next(path for path in tracked if path.name == "requirements.lock").read_text()
    names = re.findall(r"^[a-zA-Z0-9][^\s=]*==\S+", lock, re.MULTILINE)
    assert len(names) > 100
    assert "://" not in lock
    assert not re.search(r"^\s*--(?!hash)", lock, re.MULTILINE)
    assert len(re.findall(r"^[a-zA-Z0-9]", lock, re.MULTILINE)) == len(names)
    entries = re.split(r"^(?=[a-zA-Z0-9])", lock, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
