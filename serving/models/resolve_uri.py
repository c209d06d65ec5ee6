"""From a URI to files on this machine, in a process of its own: the worker that serves the model imports neither mlrun,
nor mlflow, nor a client of an object store.

The laptop resolves store:// when it deploys; here that is for workers of an MLRun service.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from leeway.backends.redacted import redacted
from leeway.model_hash import model_hash
from leeway.own_program import own_program
from leeway.private_folder import private_folder
from serving.errors import LoadError

from .locate import PROFILE_FILE
from .stored_rows import ROWS_FILE

_PATIENCE_S = 300
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):/")
# Who fetches what: each is run as a program, in which alone the client that it needs is imported.
_MLRUN, _MLFLOW, _OTHERS = (f"serving.models.{name}" for name in ("resolve_uri", "mlflow_models", "remote_files"))
REGISTRY = ("models", "runs")


def scheme_of(uri: str) -> str:
    """ "" for a path, and for file://."""
    found = _SCHEME.match(uri)
    return found[1] if found and found[1] != "file" else ""


def resolve_uri(name: str, uri: str, home: Path) -> Path:
    """The file or folder of a URI's model, under the home, by the hash of what is in it: what a worker has loaded is
    never overwritten. LoadError where it cannot be fetched."""
    from . import mlflow_models, remote_files  # noqa: F401  so that a bundle holds them

    scheme = scheme_of(uri)
    if redacted(uri).partition("?")[0] != uri.partition("?")[0]:
        raise LoadError(
            f"SERVING_MODEL_{name}={redacted(uri)} has a password in it, where everybody can read it: set what the "
            "store's own client reads (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...) in the function's environment"
        )
    program = _MLRUN if scheme == "store" else _MLFLOW if scheme in REGISTRY else _OTHERS
    folder = private_folder(home.absolute() / "models" / name)
    with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as temporary:
        made = Path(temporary) / "fetched"
        made.mkdir()
        found = _fetched(name, uri, program, made)
        kept = folder / model_hash(made)[:24]
        if not kept.exists():
            try:
                made.rename(kept)
            except OSError:
                if not kept.exists():
                    raise  # else another worker was faster
    return kept / found.relative_to(made)


def _fetched(name: str, uri: str, program: str, folder: Path) -> Path:
    try:
        done = subprocess.run(
            own_program(program, uri, str(folder)), capture_output=True, text=True, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise LoadError(f"SERVING_MODEL_{name}={redacted(uri)}: it took over {_PATIENCE_S} s to fetch it") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1].replace(uri, redacted(uri))
        raise LoadError(f"SERVING_MODEL_{name}={redacted(uri)} cannot be fetched: {reason}{_hint(done.stderr)}")
    return Path(json.loads(done.stdout.splitlines()[-1])["file"])


def _hint(said: str) -> str:
    return "; install mlflow-skinny, sqlalchemy and alembic with pip" if "No module named 'mlflow'" in said else ""


def main(argv: list[str]) -> int:
    """`argv` is [uri, folder]; the last line on stdout is {"file": ...}."""
    import mlrun.artifacts

    uri, folder = argv
    file, _, extra = mlrun.artifacts.get_model(uri)
    kept = Path(folder) / Path(file).name
    shutil.copyfile(file, kept)
    for key, name in (("profile", PROFILE_FILE), ("rows", ROWS_FILE)):
        if key in extra:
            shutil.copyfile(extra[key].local(), Path(folder) / name)
    print(json.dumps({"file": str(kept)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
