"""`leeway describe`"""

from collections.abc import Iterator
from typing import Any

import click

from leeway.settings import Settings

from .options import json_option, show


@click.command("describe", short_help="Show what a SeldonDeployment is made of.")
@click.argument("deployment")
@json_option
def command(deployment: str, as_json: bool) -> None:
    """Show the SeldonDeployment DEPLOYMENT: its predictors and their graphs, its explainers, what of it is not done.

    \b
    Examples:
      leeway describe my-model
    """
    from .seldon import about, find

    settings = Settings.read()
    one = find(settings, deployment)
    found = next(each for each in about(settings) if each["function"] == one.function and each["name"] == one.name)
    show(found, as_json, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"name      {found['name']}" + (f" (namespace {found['namespace']})" if found["namespace"] else "")
    yield f"function  {found['function']}: {found['state']}"
    yield f"url       {found['url'] or 'none'}"
    for predictor in found["predictors"]:
        share = "shadow" if predictor["shadow"] else f"{predictor['traffic']} %"
        yield f"predictor {predictor['name']}: {share}"
        for node in predictor["nodes"]:
            runs = " ".join(filter(None, (node["type"], node["implementation"], node["modelUri"])))
            yield f"  node    {node['name']}: {runs}"
        if "explainer" in predictor:
            yield f"  explainer {predictor['explainer']['type']}: {predictor['explainer']['status']}"
    yield from (f"note      {note}" for note in found["notes"])
