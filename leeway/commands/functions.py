"""Finds deployed functions by the names that people use for them."""

from collections.abc import Mapping
from typing import Any

from leeway.errors import PlatformError
from leeway.settings import Settings

_MODEL = "SERVING_MODEL_"


def deployed(settings: Settings) -> dict[str, dict[str, Any]]:
    """The status of each function by its full name, project-function."""
    from leeway.local import platform

    return platform.status(settings)["functions"]


def find(functions: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """The full name of a function that is named in full or without its project.

    PlatformError where none is called so, or several are.
    """
    if name in functions:
        return name
    short = name.replace("_", "-")
    found = [full for full, about in functions.items() if full == f"{about['project']}-{short}"]
    if len(found) == 1:
        return found[0]
    if found:
        raise PlatformError(f"{name!r} is in several projects: give one of {', '.join(sorted(found))}")
    raise PlatformError(f"no function {name!r} is deployed here; there are: {', '.join(sorted(functions)) or 'none'}")


def address(functions: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """The URL of a function; PlatformError where it has none, or does not run."""
    about = functions[name]
    if about["state"] != "ready":
        raise PlatformError(f"function {name} is {about['state'] or 'not ready'}: {about['message'] or '`leeway up`'}")
    if not about["addresses"]:
        raise PlatformError(f"function {name} has no HTTP address: it has no http trigger")
    return about["addresses"][0]


def serving(settings: Settings, deployment: str) -> tuple[str, str]:
    """(full name of the function that serves a deployment, the deployment's name there). A deployment is named by its
    model's name, or with its function (or stream key) before it: project/function/deployment.

    PlatformError where none serves it, or several do.
    """
    *where, model = deployment.strip("/").split("/")
    found = [full for full, models in _served(settings).items() if model in models and full.endswith("-".join(where))]
    if len(found) == 1:
        return found[0], model
    if found:
        raise PlatformError(f"{deployment!r} is served by {', '.join(found)}: name one as project/function/{model}")
    known = sorted(model for models in _served(settings).values() for model in models)
    raise PlatformError(f"no deployment {deployment!r} is served here; there are: {', '.join(known) or 'none'}")


def _served(settings: Settings) -> dict[str, list[str]]:
    from leeway.local.home import Home, read_json

    from .seldon import applied

    found = {}
    for function in Home.at(settings.home).deployed():
        env = read_json(function.document).get("spec", {}).get("env") or []
        names = [entry["name"].removeprefix(_MODEL) for entry in env if entry["name"].startswith(_MODEL)]
        found[function.path.name] = [name for name in names if not name.startswith("HASH_")]
    for one in applied(settings):
        found[one.function].append(one.name)
    return found
