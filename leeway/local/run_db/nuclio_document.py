"""An MLRun function as the document that Nuclio's dashboard takes: what MLRun's server would compile."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from mlrun.runtimes.nuclio.function import get_fullname
from mlrun.utils import update_in

from leeway.local.function_spec import MLRUN_KIND, PROJECT_LABEL

from .factory import DBPATH
from .hook import SWITCH

# A session of a service's, which there is none of here.
_DROPPED = ("MLRUN_AUTH_SESSION",)


def full_name(func: Any) -> str:
    """The name of the Nuclio function: project-name, and the tag where it is not latest."""
    return get_fullname(func.metadata.name, func.metadata.project, func.metadata.tag)


def nuclio_document(func: Any, context: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """`context` is the folder of the project, where code that is not embedded lies; `env` is added to the function's
    own variables and wins over them. The function stays as it is."""
    base = copy.deepcopy(func.spec.base_spec or {})
    beside = _custom_fields(func)
    document = {
        "apiVersion": "nuclio.io/v1",
        "kind": "Function",
        "metadata": {
            "name": full_name(func),
            "labels": {PROJECT_LABEL: func.metadata.project},
            "annotations": {
                **(beside.get("annotations") or {}),
                **((base.get("metadata") or {}).get("annotations") or {}),
                **(func.metadata.annotations or {}),
            },
        },
        "spec": base.get("spec") or {},
    }
    spec = document["spec"]
    spec["triggers"] = {**(beside.get("triggers") or {}), **(spec.get("triggers") or {})}
    for key, value in (func.spec.config or {}).items():  # "spec.triggers.http": {...}
        update_in(document, key, copy.deepcopy(value))
    _add_http(func, spec["triggers"])
    spec["runtime"] = func.spec.nuclio_runtime or spec.get("runtime") or "python:3.11"
    spec["handler"] = func.spec.function_handler or spec.get("handler") or ""
    spec["build"] = {**(spec.get("build") or {}), **_build(func, context)}
    if func.kind == "serving":
        document["metadata"]["annotations"][MLRUN_KIND] = "serving"
        env = {"SERVING_SPEC_ENV": func._get_serving_spec(), SWITCH: "1", "MLRUN_DBPATH": DBPATH, **env}
    spec["env"] = _env(func, spec.get("env") or [], env)
    return document


def _add_http(func: Any, triggers: dict[str, Any]) -> None:
    """As Nuclio does to every function that has no http trigger, unless it is told not to."""
    if not func.spec.disable_default_http_trigger and all(one.get("kind") != "http" for one in triggers.values()):
        triggers["default-http"] = {"kind": "http", "numWorkers": 1}


def _env(func: Any, base: list[dict[str, Any]], added: Mapping[str, str]) -> list[dict[str, Any]]:
    values, references = func._get_nuclio_config_spec_env()
    entries = {entry["name"]: entry for entry in base}
    of_the_pod = func._generate_runtime_env()[1]  # what MLRun has Kubernetes tell each function about its pod
    entries |= {
        name: {"name": name, "valueFrom": source} for name, source in references.items() if name not in of_the_pod
    }
    entries |= {name: {"name": name, "value": str(value)} for name, value in {**values, **added}.items()}
    return [entry for name, entry in entries.items() if name not in _DROPPED]


def _build(func: Any, context: Path) -> dict[str, Any]:
    given = func.spec.build
    build: dict[str, Any] = {
        "commands": list(given.commands or ()),
        "requirements": list(given.requirements or ()),
    }
    if given.functionSourceCode:
        build["functionSourceCode"] = given.functionSourceCode
    elif (source := given.source or getattr(func.spec, "source", "")) and "://" not in source:
        build["path"] = str(_code(context / source, func.spec.workdir))
    elif source:
        build["path"] = str(_code(context, func.spec.workdir)) if source.startswith("git://") else source
    return build


def _code(path: Path, workdir: str | None) -> Path:
    return path.resolve() / workdir if workdir and path.is_dir() else path.resolve()


def _custom_fields(func: Any) -> dict[str, Any]:
    """Of the item.yaml beside the function's file, where the file is what it describes: annotations and triggers that
    the same function has when it comes from the hub."""
    file = Path(func.spec.build.origin_filename or "")
    path = file.parent / "item.yaml"
    if not file.name or not path.is_file():
        return {}
    spec = (yaml.safe_load(path.read_text()) or {}).get("spec") or {}
    return (spec.get("customFields") or {}) if spec.get("filename") == file.name else {}
