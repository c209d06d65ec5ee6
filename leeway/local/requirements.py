"""Whether what a function asks to have installed is installed: the laptop has one environment and installs nothing."""

import importlib.util
import shlex
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from leeway.errors import PlatformError

_WITH_VALUE = {"-r", "--requirement", "-i", "--index-url", "--extra-index-url", "-c", "--constraint", "-t", "--target",
               "-f", "--find-links", "--trusted-host", "--progress-bar"}  # fmt: skip


def check(commands: Iterable[str], requirements: Iterable[str]) -> list[str]:
    """PlatformError names what is missing and the command that installs it; returns the commands that are not run."""
    wanted, ignored = list(requirements), []
    for command in commands:
        packages = _pip_arguments(command)
        if packages is None:
            ignored.append(command)
        else:
            wanted += packages
    missing = [lack for text in wanted if (lack := _missing(text))]
    if missing:
        names = " ".join(shlex.quote(text.partition(" (")[0]) for text in missing)
        raise PlatformError(f"missing requirement {', '.join(missing)}; install it: {_installer()} {names}")
    return ignored


def _pip_arguments(command: str) -> list[str] | None:
    """The requirements of a `pip install` command, those of its -r files included; None for any other command."""
    words = shlex.split(command)
    if words[:1] and Path(words[0]).name.startswith("python") and words[1:2] == ["-m"]:
        words = words[2:]
    if words[:2] not in (["pip", "install"], ["pip3", "install"]):
        return None
    found, rest = [], iter(words[2:])
    for word in rest:
        value = next(rest, "") if word in _WITH_VALUE else ""
        if word in ("-r", "--requirement"):
            found += _file(Path(value))
        elif not word.startswith("-"):
            found.append(word)
    return found


def _file(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines() if path.is_file() else ():
        if (text := line.partition(" #")[0].strip()) and not text.startswith(("-", "#")):
            yield text


def _missing(text: str) -> str:
    """Empty where it is installed; else the requirement, and the version that is there instead."""
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return ""  # a path or URL: only its import can tell
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return str(wanted)
    return "" if wanted.specifier.contains(found, prereleases=True) else f"{wanted} (installed: {found})"


def _installer() -> str:
    if importlib.util.find_spec("pip"):
        return f"{sys.executable} -m pip install"
    return f"uv pip install --python {sys.executable}"
