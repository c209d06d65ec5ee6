"""store:// URIs, in a process of its own: the worker that serves the model never imports mlrun.

The laptop resolves them when it deploys; this is for workers of an MLRun service.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from serving.errors import LoadError

from .locate import PROFILE_FILE

_PATIENCE_S = 300


def resolve_uri(name: str, uri: str, folder: Path) -> Path:
    """Copy the model of a URI, and its profile, into `folder`; the path of its file. LoadError where that fails."""
    main_file = getattr(__spec__.loader, "main_file", None)  # in a bundle
    module = [main_file, "serving.models.resolve_uri"] if main_file else ["-m", "serving.models.resolve_uri"]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, *module, uri, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise LoadError(f"SERVING_MODEL_{name}={uri}: it took over {_PATIENCE_S} s to fetch it") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LoadError(f"SERVING_MODEL_{name}={uri} cannot be fetched: {reason}")
    return Path(json.loads(done.stdout.splitlines()[-1])["file"])


def main(argv: list[str]) -> int:
    """`argv` is [uri, folder]; the last line on stdout is {"file": ...}."""
    import mlrun.artifacts

    uri, folder = argv
    file, _, extra = mlrun.artifacts.get_model(uri)
    kept = Path(folder) / Path(file).name
    shutil.copyfile(file, kept)
    if "profile" in extra:
        shutil.copyfile(extra["profile"].local(), Path(folder) / PROFILE_FILE)
    print(json.dumps({"file": str(kept)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
