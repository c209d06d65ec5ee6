"""`leeway hub build`"""

from dataclasses import asdict
from pathlib import Path

import click

from .options import json_option, show


@click.group("hub", short_help="The hub of functions (in a checkout).")
def command() -> None:
    """The hub of functions, as MLRun's hub:// finds them."""


@command.command("build")
@click.option(
    "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".", help="The checkout."
)
@json_option
def build(root: Path, as_json: bool) -> None:
    """Generate hub/ from functions/, each function with everything that it imports inside.

    \b
    Examples:
      leeway hub build
    """
    from leeway.local.hub import build_hub

    built = build_hub(root.absolute())
    show([asdict(one) for one in built], as_json, lambda: map(str, built))
