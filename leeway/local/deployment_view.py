"""What a notebook shows of a deployed function."""

from collections.abc import Mapping
from typing import Any

from leeway.html_table import html_table
from leeway.notebook_shell import notebook_shell

_MODEL, _HASH = "SERVING_MODEL_", "SERVING_MODEL_HASH_"


def show_deployments_in_notebook() -> None:
    """In a notebook's kernel: what MLRun's `deploy_function` returns is shown as a table. Elsewhere nothing."""
    shell = notebook_shell()
    if shell is not None:
        html = shell.display_formatter.formatters["text/html"]
        html.for_type_by_name("mlrun.projects.operations", "DeployStatus", deployment_table)


def deployment_table(deployed: Any) -> str:
    """HTML of MLRun's DeployStatus: where the function answers, what it serves and what it records."""
    function = deployed.function
    env = {each["name"]: each.get("value") or "" for each in map(_plain, function.spec.env)}
    models = [name.removeprefix(_MODEL) for name in env if name.startswith(_MODEL) and not name.startswith(_HASH)]
    rows = [("address", f"http://{function.status.address}")]
    rows += [("model", f"{name}: POST /{name}/predict") for name in models]
    rows += [("stream", env[name]) for name in ("INFERENCE_STREAM",) if env.get(name)]
    return html_table(f"{function.metadata.name}: {deployed.state}", rows)


def _plain(variable: Any) -> Mapping[str, Any]:
    return variable if isinstance(variable, Mapping) else variable.to_dict()
