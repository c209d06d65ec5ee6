"""function.yaml of a hub item: an MLRun function with its code inside."""

import base64
from typing import Any

import yaml

from leeway.errors import BundleError

from .item import Item

# What a job's code may take of a Kubernetes object, and what a Nuclio function's may.
LIMIT_KIB = {"job": 96, "nuclio": 512, "serving": 512}

# What fn.add_model takes for a route where no class is named.
_DEFAULT_CLASS = "ClassifierModel"


def function_yaml(item: Item, source: str, handler_text: str) -> str:
    """The file's text, equal for equal input. `handler_text` is the handler's own file, for its entry points.

    BundleError where the code is larger than its kind may be, or a parameter's default is no plain value.
    """
    code = base64.b64encode(source.encode()).decode()
    limit = LIMIT_KIB[item.kind]
    if len(code) > limit * 1024:
        raise BundleError(
            f"{item.name}: its code takes {len(code) / 1024:.0f} KiB, a {item.kind} may take {limit}; import less"
        )
    match item.kind:
        case "job":
            document = _job(item, code, handler_text)
        case "serving":
            document = _serving(item, code)
        case _:
            document = _nuclio(item, code)
    return yaml.safe_dump(document, sort_keys=True, width=120)


def _job(item: Item, code: str, handler_text: str) -> dict[str, Any]:
    from mlrun.runtimes.funcdoc import as_func, find_handlers

    handlers = find_handlers(handler_text, handlers=[item.handler])
    if not handlers:
        raise BundleError(f"{item.name}: {item.filename} defines no function {item.handler!r}")
    entry_point = as_func(handlers[0])
    for parameter in entry_point["parameters"]:
        if "<ast." in str(parameter.get("default")):  # its text would be another in each process
            raise BundleError(f"{item.name}: the default of {parameter['name']!r} is an expression; give its value")
    spec = {"default_handler": item.handler, "entry_points": {item.handler: entry_point}}
    return _function(item, "job", spec, {"functionSourceCode": code, "base_image": item.image})


def _nuclio(item: Item, code: str) -> dict[str, Any]:
    module = item.filename.removesuffix(".py")
    build = {"functionSourceCode": code, "baseImage": item.image, "noBaseImagesPull": True}
    base = {
        "apiVersion": "nuclio.io/v1",
        "kind": "Function",
        "metadata": {"name": _name(item), "annotations": dict(item.annotations)},
        "spec": {
            "build": build,
            "description": item.description,
            "handler": f"{module}:{item.handler}",
            "runtime": "python:3.11",
            "triggers": dict(item.triggers),
        },
    }
    spec = {"base_spec": base, "function_handler": f"{module}:{item.handler}"}
    return _function(item, "remote", spec, {"base_image": item.image})


def _serving(item: Item, code: str) -> dict[str, Any]:
    graph = {"kind": "router", "class_name": item.handler, "routes": {}}
    spec = {"graph": graph, "default_class": _DEFAULT_CLASS}
    return _function(item, "serving", spec, {"functionSourceCode": code, "base_image": item.image})


def _function(item: Item, kind: str, spec: dict[str, Any], build: dict[str, Any]) -> dict[str, Any]:
    if item.requirements:
        build["requirements"] = list(item.requirements)
    return {
        "kind": kind,
        "metadata": {"name": _name(item), "categories": list(item.categories)},
        "spec": {"description": item.description, "image": item.image, "build": build, **spec},
    }


def _name(item: Item) -> str:
    return item.name.replace("_", "-")
