"""docs/ says what the code says: the generated pages are current, what a page tells to type can be typed, links lead
somewhere."""

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

from leeway.cli import main
from serving.graph.seldon_fields import FIELDS, MAPPED, REFUSED

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / "functions").glob("*/README.md")])


@pytest.fixture(scope="module")
def generated():
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("name", ["record.md", "cli.md", "settings.md", "metrics.md", "seldon.md"])
def test_a_generated_page_is_current(generated, name):
    assert (ROOT / "docs" / name).read_text() == generated[name].rstrip() + "\n", "run `make docs`"


def test_the_reference_holds_every_field_command_and_metric(generated):
    assert "| `propensity` |" in generated["record.md"] and "| `class` |" in generated["record.md"]
    assert "## leeway deploy" in generated["cli.md"] and "### leeway hub serve" in generated["cli.md"]
    assert "| `LEEWAY_DETECTOR_ARL0` | `18000` |" in generated["settings.md"]
    assert "| `LEEWAY_SERIES` |  |" in generated["settings.md"] and "NUCLIO" not in generated["settings.md"]
    assert "| `leeway_requests_total` | counter |" in generated["metrics.md"]
    assert "| `leeway_stream_lag` | gauge | `stream` |" in generated["metrics.md"]


def test_the_readme_tells_what_goes_into_the_nuclio_function_and_what_is_refused():
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    said = {word: about for names, about in rows for word in re.findall(r"`(\w+)", names)}
    for path, field in FIELDS.items():
        if field.fate in (MAPPED, REFUSED):
            about = next((said[part] for part in path.split(".") if part in said), None)
            assert about is not None and about.startswith("refused") == (field.fate == REFUSED), path


def lines():
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            yield from (line.partition("  #")[0] for line in block.splitlines() if line.startswith("leeway "))


def test_every_command_that_a_page_shows_is_one():
    shown = list(lines())
    assert shown
    for line in shown:
        words, command = shlex.split(line)[1:], main
        while isinstance(command, click.Group):
            name = words.pop(0)
            command = command.get_command(click.Context(command), name)
            assert command is not None, line
        options = {option for parameter in command.params for option in parameter.opts}
        assert [word for word in words if word.startswith("-") and word not in options] == [], line


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target
