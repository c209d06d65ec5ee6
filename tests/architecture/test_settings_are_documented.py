"""docs/settings.md has each setting with its variable and default, and no other."""

import re
from dataclasses import fields
from pathlib import Path

from leeway.settings import Settings, variable

ROOT = Path(__file__).parents[2]


def documented():
    rows = re.findall(
        r"^\| `(LEEWAY_\w+)` \| (.*?) \| (.+?) \|$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    return {name: (default.strip("` "), text) for name, default, text in rows}


def test_every_setting_is_documented_with_its_default():
    wanted = {
        variable(field.metadata["key"]): (str(field.default), field.metadata["doc"])
        for field in fields(Settings)
        if not field.metadata.get("foreign")
    }
    assert documented() == wanted
