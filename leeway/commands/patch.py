"""`leeway patch`"""

import json

import click

from leeway.settings import Settings

from .options import json_option, show
from .traffic import changed


@click.command("patch", short_help="Change traffic with a JSON patch, as kubectl does.")
@click.argument("deployment")
@click.option("-p", "--patch", "text", required=True, help="The JSON patch.")
@click.option("--type", "kind", type=click.Choice(["json"]), default="json", show_default=True, help="Of the patch.")
@click.option("--why", default="", help="For the history.")
@json_option
def command(deployment: str, text: str, kind: str, why: str, as_json: bool) -> None:
    """Replace /spec/predictors/<index>/traffic of the SeldonDeployment DEPLOYMENT. Of two predictors the other one gets
    the rest; other paths are refused: `leeway apply` is for them.

    \b
    Examples:
      leeway patch prices --type json -p '[{"op": "replace", "path": "/spec/predictors/1/traffic", "value": 25}]'
    """
    from serving.traffic import patched

    from .seldon import find, traffic

    try:
        patch = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"the patch is no JSON: {error}") from None
    settings = Settings.read()
    one = find(settings, deployment)
    found = traffic(settings, one, patched(one.seldon.deployment, patch), why)
    show(found, as_json, lambda: changed(found))
