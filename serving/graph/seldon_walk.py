"""Goes through all of a SeldonDeployment, so that nothing of it is left out in silence."""

from collections.abc import Iterator, Mapping
from typing import Any

from serving.errors import LoadError

from .seldon_fields import FIELDS, NOTED, REFUSED


def notes(document: Mapping[str, Any]) -> list[str]:
    """What it asks for that is accepted and not done, each with the reason; LoadError for what is refused, or not
    known."""
    found: dict[str, str] = {}
    for path, value in _fields("", document):
        known = FIELDS.get(path) or FIELDS.get(f"{path.rpartition('.')[0]}.*")
        if known is None:
            raise LoadError(f"{path}: a SeldonDeployment has no such field; is it spelled right?")
        if value is None or value == "" or value == [] or value == {}:
            continue
        if known.fate == REFUSED:
            raise LoadError(f"{path} is refused: {known.about}")
        if known.fate == NOTED:
            found[path] = f"{path}: {known.about}"
    return list(found.values())


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(path, value) of what the table has by name; what lies deeper belongs to it."""
    if not _is_above_others(path):
        yield path, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            below = f"{path}.{name}" if path else str(name)
            yield from _fields(below.replace("graph.children", "graph") if _is_child(below) else below, each)
    elif isinstance(value, list):
        for each in value:
            yield from _fields(path if path.endswith(".graph") else f"{path}[]", each)
    elif value is not None:
        raise LoadError(f"{path} is {value!r:.60}; expected an object")


def _is_above_others(path: str) -> bool:
    return not path or any(each.startswith((f"{path}.", f"{path}[]")) for each in FIELDS)


def _is_child(path: str) -> bool:
    return path.endswith("graph.children")
