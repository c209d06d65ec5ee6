"""Runs the project's main workflow on a real data stream, and says what it found."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from .demo_summary import print_summary
from .errors import LeewayError
from .private_folder import private_folder
from .progress_view import shown
from .settings import Settings


def run_demo(settings: Settings, rows: int | None = None, quiet: bool = False) -> dict[str, Any]:
    """Run workflow `main` on the first `rows` rows (all of them where None), leave summary.json and report.html in
    <home>/demo, print what it found (unless `quiet`) and return the summary.

    LeewayError where a step of the workflow failed, or where the records do not add up.
    """
    folder = private_folder(settings.home.absolute() / "demo")
    root, log = _root(), folder / "demo.log"
    with _output_to(log) as terminal, shown(terminal):
        outputs = _run(root, {"rows": rows or 0}, log)
    summary = json.loads(outputs["summary"])
    summary["paths"] |= {name: str(folder / name) for name in ("summary.json", "report.html", "demo.log")}
    (folder / "report.html").write_bytes(outputs["page"])
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    found = json.loads(outputs["differences"])
    if not quiet:
        print_summary(summary, found)
    if found:
        raise LeewayError(f"the records do not add up: {'; '.join(found)}")
    return summary


def _run(root: Path, arguments: dict[str, Any], log: Path) -> dict[str, bytes]:
    """Run the workflow; what its report logged, by key."""
    import mlrun

    project = mlrun.load_project(str(root))
    run = project.run("main", engine="local", arguments=arguments)
    if run.exc is not None:
        raise LeewayError(f"the workflow failed: {run.exc}; {log} has all of it")
    reports = project.list_runs(name="report-report", labels=[f"workflow={run.run_id}"])
    uris = reports[0]["status"]["artifact_uris"]
    return {key: mlrun.get_dataitem(uri).get() for key, uri in uris.items()}


def _root() -> Path:
    """Where the project lies: the working directory, else the checkout that this file is in."""
    for folder in (Path.cwd(), Path(__file__).parents[1]):
        if (folder / "project.yaml").is_file() and (folder / "workflows" / "main.py").is_file():
            return folder
    raise LeewayError(f"no Leeway project in {Path.cwd()}: run `leeway demo` in a checkout of it")


@contextmanager
def _output_to(path: Path) -> Iterator[TextIO]:
    """All output of this process, MLRun's too, goes to a file meanwhile; yields the terminal, to show progress on."""
    saved = [os.dup(1), os.dup(2)]
    _flush()
    with open(path, "w") as file, open(os.dup(2), "w") as terminal:
        try:
            for fd in (1, 2):
                os.dup2(file.fileno(), fd)
            yield terminal
        finally:
            _flush()
            for fd, original in zip((1, 2), saved):
                os.dup2(original, fd)
                os.close(original)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
