"""Options that several commands share, and how they print."""

import json
import os
from collections.abc import Callable
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_QUIET = {"MLRUN_LOG_LEVEL": "WARNING", "MLRUN_IPYTHON_WIDGET": "false"}


def service_option(command: Callable) -> Callable:
    """`--service`: without it a ~/.mlrun.env that names a service is not read. Call `prepare_mlrun` first thing."""
    return click.option(
        "--service", is_flag=True, help="Use the MLRun service that ~/.mlrun.env or MLRUN_DBPATH names."
    )(command)


def prepare_mlrun(service: bool) -> None:
    """Before mlrun is imported, as it reads its settings then: the service that is meant, and quiet, as its log goes to
    standard output."""
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    if not service:
        os.environ["MLRUN_IGNORE_ENV_FILE"] = "1"


def show(value: Any, as_json: bool, lines: Callable[[], Any]) -> None:
    """Print `value` as JSON, or the lines (or nothing) for a person."""
    text = json.dumps(value, indent=2, default=str) if as_json else "\n".join(lines())
    if text:
        click.echo(text)
