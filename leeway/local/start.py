"""`leeway.start()`: the laptop takes the place of an MLRun service where none is configured."""

import os
from pathlib import Path
from threading import Lock
from typing import Any

from leeway.progress_view import show_in_notebook
from leeway.settings import Settings

from .deployment_view import show_deployments_in_notebook
from .run_db import hook

LAPTOP = "laptop"
_starting = Lock()
_set: dict[str, str] = {}


def start() -> str:
    """Give MLRun, in this process and in those that it starts, a database and a platform on this machine.

    Returns "laptop"; where MLRun is configured for a service (MLRUN_DBPATH, ~/.mlrun.env), nothing is changed and the
    service's URL is returned. Call it before anything is asked of MLRun; calling it again does no harm.
    """
    import mlrun  # reads ~/.mlrun.env and the environment; where they name a service, it connects

    with _starting:
        url = str(mlrun.mlconf.dbpath or "")
        if "://" in url:
            return url
        _install()
        _configure(mlrun.mlconf, Settings.read().home.absolute())
    show_in_notebook()
    show_deployments_in_notebook()
    return LAPTOP


def _install() -> None:
    import mlrun.db.factory
    import mlrun.projects.project

    from .run_db import nop_db

    hook.apply("mlrun.db.factory", mlrun.db.factory)
    hook.apply("mlrun.projects.project", mlrun.projects.project)
    nop_db.disown()


def _configure(mlconf: Any, home: Path) -> None:
    from .run_db.factory import DBPATH

    os.environ["LEEWAY_HOME"] = str(home)  # a run may work in another folder
    os.environ[hook.SWITCH] = "1"
    os.environ["MLRUN_DBPATH"] = mlconf.dbpath = DBPATH
    # Each run has a folder of its own, so that no later one changes what an earlier one logged.
    _default(mlconf, "MLRUN_ARTIFACT_PATH", str(home / "artifacts" / "{{run.project}}" / "{{run.uid}}"))
    # MLRun sleeps so many seconds before its first look; our answer waits until there is something to see.
    _default(mlconf, "MLRUN_HTTPDB__LOGS__NUCLIO__PULL_DEPLOY_STATUS_DEFAULT_INTERVAL", "0")


def _default(mlconf: Any, name: str, value: str) -> None:
    """Set what the user did not: in the environment too, which children inherit, and MLRun reads again at times."""
    if os.environ.get(name, "") not in ("", _set.get(name, "")):
        return
    _set[name] = os.environ[name] = value
    *path, last = name.removeprefix("MLRUN_").lower().split("__")
    for part in path:
        mlconf = getattr(mlconf, part)
    setattr(mlconf, last, value)
