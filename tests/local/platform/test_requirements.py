"""What is not installed is named at deploy, with the command that installs it."""

import sys

import numpy
import pytest

from leeway.errors import PlatformError
from leeway.local.requirements import check


@pytest.mark.parametrize(
    "command",
    [
        "pip install numpy",
        "pip install numpy>=1 scipy",
        "python -m pip install --upgrade 'numpy>=1,<99'",
        "python3 -m pip install -q --index-url https://example.com/simple numpy",
        "pip install 'not-there-at-all; python_version < \"3\"'",
        "pip3 install 'numpy[extra]'",
        "pip install git+https://example.com/x.git",
    ],
)
def test_what_is_installed_is_enough(command):
    assert check([command], []) == []


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("pip install not-there-at-all", "not-there-at-all;"),
        ("pip install numpy not-there-at-all>=2", "not-there-at-all>=2;"),
        ("pip install numpy>=99", f"numpy>=99 (installed: {numpy.__version__});"),
    ],
)
def test_what_is_missing_is_named_with_the_command(command, named):
    with pytest.raises(PlatformError) as caught:
        check([command], [])
    assert f"missing requirement {named} install it: " in str(caught.value)
    assert sys.executable in str(caught.value)


def test_requirement_files_and_lists_are_read(tmp_path):
    (tmp_path / "requirements.txt").write_text("# ours\nnumpy  # fine\n-i https://example.com\n\nnot-there-at-all\n")
    with pytest.raises(PlatformError, match="missing requirement not-there-at-all;"):
        check([f"pip install -r {tmp_path}/requirements.txt"], [])
    with pytest.raises(PlatformError, match="missing requirement neither, nor;"):
        check([], ["neither", "numpy", "nor"])
    assert check(["pip install -r /opt/nuclio/requirements.txt"], []) == [], "a file of the image, not of the laptop"


def test_commands_that_are_not_pips_are_given_back():
    assert check(["apt-get install x", "pip install numpy"], []) == ["apt-get install x"]
