"""What is installed: the packages and the generated hub, and nothing that would get in a user's way."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_the_packages_and_the_hub_and_no_functions_or_tests(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"leeway", "serving", "monitoring", "leeway_laptop.pth"}
    hub = {str(path.relative_to(ROOT)) for path in (ROOT / "hub").rglob("*.yaml")}
    assert {f"leeway/{name}" for name in hub} <= set(names)
    assert hub
