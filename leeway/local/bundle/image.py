"""A Nuclio function as files that need neither Leeway nor MLRun: for nuctl, the dashboard, and `docker build`."""

import ast
import base64
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import yaml

from leeway.errors import BundleError

from .loader import ROOTS
from .source import bundled_files

NUCLIO = "1.14.1"
_BASE = "python:3.11"
_BIN = "/".join(("", "home", "nuclio", "bin"))  # in Nuclio's own builder image
# Nuclio's processor brings the first; the others are only for models and classes of theirs, and named by who uses them.
_NOT_NEEDED = {"nuclio-sdk", "mlrun", "mlflow-skinny", "lightgbm", "xgboost-cpu"}

_DOCKERFILE = f"""\
ARG NUCLIO_LABEL={NUCLIO}
ARG NUCLIO_ARCH=amd64
FROM quay.io/nuclio/handler-builder-python-onbuild:${{NUCLIO_LABEL}}-${{NUCLIO_ARCH}} AS nuclio
FROM {_BASE}
COPY --from=nuclio {_BIN}/processor /usr/local/bin/processor
COPY --from=nuclio {_BIN}/py /opt/nuclio/
COPY --from=nuclio {_BIN}/py3.11-whl /opt/nuclio/whl
COPY requirements.txt /opt/nuclio/requirements.txt
RUN pip install --no-index --find-links /opt/nuclio/whl nuclio-sdk msgpack \\
 && pip install --no-cache-dir -r /opt/nuclio/requirements.txt
COPY . /opt/nuclio
CMD ["processor", "--config", "/opt/nuclio/processor.yaml"]
"""


def write_image(document: Mapping[str, Any], folder: Path, env: Mapping[str, str] = {}) -> list[Path]:
    """Write into `folder`, from the MLRun function in `document` (a function.yaml of the hub): function.yaml with the
    code inside (nuctl deploy --file, or the dashboard's import), and for `docker build`: Dockerfile, the code,
    requirements.txt and processor.yaml. `env` is added to the function's variables. Returns what was written.

    BundleError where the function is none of Nuclio's.
    """
    if document.get("kind") not in ("remote", "nuclio"):
        raise BundleError(
            f"{document.get('metadata', {}).get('name')} is of kind {document.get('kind')!r}: only Nuclio functions "
            "are built; MLRun runs jobs, and deploys its serving graphs, itself"
        )
    config = _nuclio(document, env)
    source = base64.b64decode(config["spec"]["build"]["functionSourceCode"]).decode()
    module = config["spec"]["handler"].partition(":")[0]
    texts = {
        "function.yaml": yaml.safe_dump(config, sort_keys=True, width=120),
        f"{module}.py": source,
        "requirements.txt": "".join(f"{line}\n" for line in _requirements(document, source)),
        "processor.yaml": yaml.safe_dump(_processor(config), sort_keys=True),
        "Dockerfile": _DOCKERFILE,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def _nuclio(document: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    spec = document["spec"]
    config = {**spec["base_spec"], "kind": "NuclioFunction"}
    inner = config["spec"] = {**config["spec"]}
    source = base64.b64decode(inner["build"]["functionSourceCode"]).decode()
    packages = _requirements(document, source)
    inner["build"] = {
        "baseImage": _BASE,
        "functionSourceCode": inner["build"]["functionSourceCode"],
        "commands": [f"pip install --no-cache-dir {' '.join(packages)}"] if packages else [],
    }
    inner["env"] = [*(inner.get("env") or []), *({"name": k, "value": v} for k, v in env.items())]
    return config


def _processor(config: Mapping[str, Any]) -> dict[str, Any]:
    """What Nuclio's processor reads inside the container; the platform writes it where it deploys function.yaml."""
    spec = {name: value for name, value in config["spec"].items() if name != "build"}
    spec["triggers"] = spec.get("triggers") or {"http": {"kind": "http", "numWorkers": 1}}
    return {"meta": {"name": config["metadata"]["name"]}, "spec": spec}


def _requirements(document: Mapping[str, Any], source: str) -> list[str]:
    """What the code imports, at the versions that it was tried with here, and what the function asks for itself."""
    owners = packages_distributions()
    known = {owner.lower() for name in _imported(bundled_files(source).values()) for owner in owners.get(name, ())[:1]}
    asked = (document["spec"].get("build") or {}).get("requirements") or ()
    if "joblib" in known:
        known.add("scikit-learn")  # no import names what is inside a pickle
    pinned = [f"{name}=={version(name)}" for name in sorted(known - _NOT_NEEDED)]
    return [*pinned, *(one for one in asked if one.lower() not in known)]


def _imported(texts: Iterable[str]) -> Iterator[str]:
    """Names of packages that are neither ours nor Python's."""
    for text in texts:
        if text.lstrip().startswith("<"):  # a page beside the code
            continue
        for node in ast.walk(ast.parse(text)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top not in ROOTS and top not in sys.stdlib_module_names:
                    yield top
