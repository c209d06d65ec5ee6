"""The environment of a worker: the machine's, without what belongs to other programs' runs, and the function's own."""

from collections.abc import Mapping
from pathlib import Path

from .function_spec import FunctionSpec
from .home import Home

_ROOT = Path(__file__).parents[2]
# What a run or a deploy leaves in the environment of whoever started the platform says nothing about this function.
_FOREIGN = ("MLRUN_", "LEEWAY_", "NUCLIO_", "SERVING_", "INFERENCE_", "PYTEST_")

# Whoever deploys here deploys onto the stores that he uses himself.
STORES = ("LEEWAY_STREAM", "LEEWAY_STATE", "LEEWAY_SERIES", "LEEWAY_ARCHIVE", "LEEWAY_KAFKA_OPTIONS")


def environment(spec: FunctionSpec, home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` is the platform's own; the function's spec.env wins over all but LEEWAY_HOME."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
    return {
        **kept,
        "OMP_NUM_THREADS": "1",
        "MLRUN_DEFAULT_PROJECT": spec.project,
        "NUCLIO_FUNCTION_NAME": spec.name,
        "NUCLIO_HANDLER": f"{spec.module}:{spec.function}",
        "PYTHONPATH": python_path(environ),
        **spec.env,
        "LEEWAY_HOME": str(home.path),
    }


def python_path(environ: Mapping[str, str]) -> str:
    """PYTHONPATH with the folder that Leeway lies in, unless it is installed."""
    given = [environ["PYTHONPATH"]] if environ.get("PYTHONPATH") else []
    own = [] if _ROOT.name in ("site-packages", "dist-packages") else [str(_ROOT)]
    return ":".join([*own, *given])
