"""`leeway apply`"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from leeway.settings import Settings

from .options import json_option, prepare_mlrun, service_option, show


@click.command("apply", short_help="Serve the SeldonDeployments of a file.")
@click.option(
    "-f", "--filename", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML with one SeldonDeployment or several.",
)  # fmt: skip
@click.option("--project", default="models", show_default=True, help="MLRun project to deploy into.")
@service_option
@json_option
def command(file: Path, project: str, service: bool, as_json: bool) -> None:
    """Serve each SeldonDeployment of a file as a function, record its answers and watch it. What of it is accepted
    without being done is said; applying it again replaces what was there.

    \b
    Examples:
      leeway apply -f canary.yaml
    """
    prepare_mlrun(service)
    from .seldon import apply

    found = apply(file, project, Settings.read())
    show(found, as_json, lambda: _lines(found))


def _lines(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    for each in found:
        yield f"{each['name']} is served at {each['url']}, and watched by {each['watched_by']}"
        yield f"  predictors {predictors(each)}"
        yield from (f"  note: {note}" for note in each["notes"])
        yield f"  leeway describe {each['name']}    what it is made of; `leeway delete {each['name']}` takes it away"


def predictors(about: dict[str, Any]) -> str:
    """main=90 canary=10 next=shadow"""
    return " ".join(f"{each['name']}={'shadow' if each['shadow'] else each['traffic']}" for each in about["predictors"])
