"""The hub in the checkout is what its sources generate now."""

from pathlib import Path

import pytest

from leeway.local.bundle.item import Item
from leeway.local.hub import build_hub, hub_folder

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/*.py"))


def read(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_hub_matches_its_sources(tmp_path):
    build_hub(ROOT, tmp_path)
    committed, generated = read(hub_folder()), read(tmp_path)
    assert hub_folder() == ROOT / "hub"
    assert sorted(committed) == sorted(generated), "run `make hub`"
    stale = [path for path in generated if committed[path] != generated[path]]
    assert not stale, "run `make hub`"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_folder_has_an_item_a_link_and_a_readme(name):
    folder = ROOT / "functions" / name
    assert Item.read(folder).version
    assert (folder / "README.md").is_file()
    assert (folder / "function.yaml").resolve() == ROOT / f"hub/functions/master/{name}/latest/src/function.yaml"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handlers_stay_thin(name):
    item = Item.read(ROOT / "functions" / name)
    lines = len((ROOT / "functions" / name / item.filename).read_text().splitlines())
    assert lines <= 60, f"{item.filename} has {lines} lines: a handler only puts parts together"
