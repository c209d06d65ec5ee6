"""`leeway delete`"""

import click

from leeway.settings import Settings

from .options import json_option, show


@click.command("delete", short_help="Stop a SeldonDeployment and forget it.")
@click.argument("deployment")
@json_option
def command(deployment: str, as_json: bool) -> None:
    """Stop the functions of the SeldonDeployment DEPLOYMENT, which send on what they recorded first, and forget them.
    What was recorded stays.

    \b
    Examples:
      leeway delete my-model
    """
    from .seldon import delete, find

    settings = Settings.read()
    gone = delete(settings, find(settings, deployment))
    show({"deleted": gone}, as_json, lambda: [f"deleted {name}" for name in gone])
