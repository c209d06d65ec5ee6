"""An item of the hub: item.yaml, written by hand, in the form of MLRun's hub."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from leeway.errors import BundleError

KINDS = ("job", "nuclio", "serving")
_CUSTOM = {"annotations", "bundle", "triggers"}


@dataclass(frozen=True)
class Item:
    """What item.yaml says of one function.

    `handler` is a function; of a serving graph it is the router's class.

    Of its own it has, under spec.customFields: `bundle` (packages and files to include whole), and for Nuclio
    functions `annotations` and `triggers`, which go into the Nuclio document as they are.
    """

    name: str
    version: str
    description: str
    filename: str
    handler: str
    image: str
    kind: str
    categories: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    bundle: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Item":
        """From `folder`/item.yaml; BundleError names the field that is missing or wrong."""
        path = folder / "item.yaml"
        if not path.is_file():
            raise BundleError(f"{path} is not there: each function says in it what it is (name, version, spec.handler)")
        document = yaml.safe_load(path.read_text())
        spec = document.get("spec") or {}
        custom = spec.get("customFields") or {}
        if unknown := set(custom) - _CUSTOM:
            raise BundleError(f"{path}: customFields has {sorted(unknown)}; known are {sorted(_CUSTOM)}")
        item = cls(
            name=_text(path, document, "name"),
            version=_text(path, document, "version"),
            description=_text(path, document, "description"),
            filename=_text(path, spec, "filename"),
            handler=_text(path, spec, "handler"),
            image=_text(path, spec, "image"),
            kind=_text(path, spec, "kind"),
            categories=tuple(document.get("categories") or ()),
            requirements=tuple(spec.get("requirements") or ()),
            bundle=tuple(custom.get("bundle") or ()),
            annotations=custom.get("annotations") or {},
            triggers=custom.get("triggers") or {},
        )
        item._check(path, folder)
        return item

    def _check(self, path: Path, folder: Path) -> None:
        if self.name != folder.name:
            raise BundleError(f"{path}: name is {self.name!r}, the folder is {folder.name!r}; they must be the same")
        if self.kind not in KINDS:
            raise BundleError(f"{path}: spec.kind is {self.kind!r}; it can be {', '.join(KINDS)}")
        if not (folder / self.filename).is_file():
            raise BundleError(f"{path}: spec.filename is {self.filename!r}, which is not in {folder}")


def _text(path: Path, mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    if not isinstance(value, str) or not value:
        raise BundleError(f"{path}: {key} is {value!r}; expected text")
    return value
