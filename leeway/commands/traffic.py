"""`leeway traffic`"""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from leeway.settings import Settings

from .options import json_option, show


@click.command("traffic", short_help="Show or change the shares of predictors.")
@click.argument("deployment")
@click.argument("shares", nargs=-1, metavar="[PREDICTOR=PERCENT]...")
@click.option("--why", default="", help="For the history.")
@json_option
def command(deployment: str, shares: Sequence[str], why: str, as_json: bool) -> None:
    """Give predictors of the SeldonDeployment DEPLOYMENT their shares of the traffic, in every worker and without a
    redeploy; of two predictors the other one gets the rest. Without shares: those in force, and their history.

    \b
    Examples:
      leeway traffic prices
      leeway traffic prices canary=25 --why "error rate is the same"
    """
    from .seldon import find, history, traffic

    settings = Settings.read()
    one = find(settings, deployment)
    if not shares:
        weights, changes = history(settings, one)
        told = {"name": one.name, "traffic": weights, "history": changes}
        show(told, as_json, lambda: _history(told))
        return
    found = traffic(settings, one, dict(map(_share, shares)), why)
    show(found, as_json, lambda: changed(found))


def changed(found: dict[str, Any]) -> Iterator[str]:
    """What a change did, for a person."""
    yield f"{found['name']}: {_shares(found['traffic'])} (version {found['version']})"
    yield from (f"  {note}" for note in found["notes"])
    yield f"  {len(found['confirmed'])} worker(s) have it"
    yield from (f"  {name} has not said that it has it" for name in found["waiting"])


def _history(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['name']}: {_shares(told['traffic'])}"
    for each in told["history"]:
        why = f": {each['why']}" if each["why"] else ""
        yield f"  {each['version']:>3}  {each['when']}  {each['who'] or '-'}  {_shares(each['weights'])}{why}"


def _shares(weights: dict[str, int]) -> str:
    return " ".join(f"{name}={share}" for name, share in weights.items())


def _share(text: str) -> tuple[str, int]:
    name, _, share = text.partition("=")
    if not name or not share.isdecimal():
        raise click.UsageError(f"{text!r} is no share; expected PREDICTOR=PERCENT, for example canary=25")
    return name, int(share)
