"""Where something lies in V3IO."""

from collections.abc import Mapping

from leeway.errors import StoreError


def v3io_place(what: str, where: str, needed: Mapping[str, str]) -> tuple[str, str, str]:
    """(name, container, path) of what lies at container/path. StoreError where there is no path, or one of the `needed`
    settings, by the names of their variables, is empty.

    >>> v3io_place("stream", "/users/elec/", {"V3IO_API": "http://api"})
    ('v3io:///users/elec', 'users', 'elec')
    """
    container, _, path = where.strip("/").partition("/")
    name = f"v3io:///{where.strip('/')}"
    if not path:
        raise StoreError(f"{what} {name} has no path in its container; use v3io:///container/path")
    for variable, value in needed.items():
        if not value:
            raise StoreError(f"{what} {name} needs {variable}, which is not set")
    return name, container, path
