"""`leeway get`"""

import click

from leeway.settings import Settings

from .apply import predictors
from .options import json_option, show


@click.command("get", short_help="List the SeldonDeployments that were applied.")
@json_option
def command(as_json: bool) -> None:
    """List the SeldonDeployments that were applied here: their state, their predictors with their traffic, their URL.

    \b
    Examples:
      leeway get
    """
    from .seldon import about

    found = list(about(Settings.read()))
    lines = [f"{each['name']:<24} {each['state']:<9} {predictors(each)}  {each['url']}" for each in found]
    show(found, as_json, lambda: lines or ["nothing was applied; `leeway apply -f FILE`"])
