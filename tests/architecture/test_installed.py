"""What is installed goes together, as `pip check` would say."""

from importlib.metadata import distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def test_every_package_has_what_it_requires():
    installed = {canonicalize_name(each.metadata["Name"]): each for each in distributions()}
    missed = []
    for name, each in installed.items():
        for text in each.requires or ():
            wanted = Requirement(text)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
                continue
            found = installed.get(canonicalize_name(wanted.name))
            if found is None or not wanted.specifier.contains(found.version, prereleases=True):
                missed.append(f"{name} requires {text}; installed: {found and found.version}")
    assert "mlrun" in installed
    assert missed == []
