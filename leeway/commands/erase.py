"""`leeway erase`"""

import click

from leeway.errors import LeewayError
from leeway.settings import Settings

from .options import json_option, show


@click.command("erase", short_help="Erase what was recorded under some request ids.")
@click.argument("deployment")
@click.argument("ids", nargs=-1, required=True)
@json_option
def command(deployment: str, ids: tuple[str, ...], as_json: bool) -> None:
    """Take the predictions, feedback and late truth of the request IDS of DEPLOYMENT out of the archive, for good. The
    stream still holds them until they are older than what it keeps (LEEWAY_STREAM_KEPT_MB), and the pending labels
    until they are older than LEEWAY_LABELS_AGE_S.

    \b
    Examples:
      leeway erase elec 0192d0a4-7c3e-7000-8000-0000000000aa
    """
    from leeway.backends import connect
    from monitoring.erase import erase
    from monitoring.queries import Queries

    settings = Settings.read()
    with Queries(settings) as queries:
        keys = [key for key in queries.deployments() if deployment.strip("/") in (key, key.rpartition("/")[2])]
    if len(keys) != 1:
        known = ", ".join(keys) or "none"
        raise LeewayError(f"deployment {deployment!r}: {known} is called so; name one as project/function/deployment")
    erased = erase(connect.archive(settings), keys[0], ids)
    found = {"deployment": keys[0], "ids": list(ids), "erased": erased}
    show(found, as_json, lambda: [f"{n} rows of kind {kind}" for kind, n in erased.items()] or ["nothing was found"])
