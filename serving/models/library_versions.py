"""Whether the libraries here are those that a model was logged with."""

from collections.abc import Mapping

_ALSO = {"xgboost": "xgboost-cpu"}


def other_versions(logged: Mapping[str, str]) -> list[str]:
    """One sentence for each package (its name to its version) that is here in another minor version."""
    found = []
    for package, wanted in logged.items():
        here = _installed(package)
        if here is not None and here.split(".")[:2] != wanted.split(".")[:2]:
            found.append(
                f"it was logged with {package} {wanted}, and {here} is installed: check its answers, or install "
                f"{package}=={wanted}"
            )
    return found


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # few models say what they were logged with

    for name in filter(None, (package, _ALSO.get(package))):
        try:
            return version(name)
        except PackageNotFoundError:
            pass
    return None
