"""`leeway erase`"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click

from leeway.errors import LeewayError
from leeway.settings import Settings

from .options import json_option, show

_BESIDE = {"labels": "pending labels", "dead_letters": "dead letters"}


@click.command("erase", short_help="Erase what was recorded under some request ids.")
@click.argument("deployment")
@click.argument("ids", nargs=-1, required=True)
@json_option
def command(deployment: str, ids: tuple[str, ...], as_json: bool) -> None:
    """Take what was recorded under the request IDS of DEPLOYMENT out of the archive, the pending labels and the dead
    letters, for good: what comes again under them no page, report or replay shows, and the drift function takes it out
    of the archive within an hour.

    The stream still holds them until they are older than what it keeps (LEEWAY_STREAM_KEPT_MB), an outbox until the
    stream has them, and a running consumer its newest 64 labels until more come: run it again then.

    \b
    Examples:
      leeway erase elec 0192d0a4-7c3e-7000-8000-0000000000aa
    """
    from leeway.backends import connect
    from monitoring.erase import EraseList, erase, erase_pending, is_about
    from monitoring.queries import Queries

    settings = Settings.read()
    with Queries(settings) as queries, closing(connect.state(settings, "shared")) as shared:
        keys = [key for key in queries.deployments() if deployment.strip("/") in (key, key.rpartition("/")[2])]
        if len(keys) != 1:
            known = ", ".join(keys) or "none"
            raise LeewayError(
                f"deployment {deployment!r}: {known} is called so; name one as project/function/deployment"
            )
        EraseList(shared).add(keys[0], ids)
        erased = erase(connect.archive(settings), keys[0], ids)
        pending = letters = 0
        for shown in queries.consumers():
            with closing(connect.state(settings, shown.state)) as state:
                pending += erase_pending(state, keys[0], ids)
        for shown, at, letter in queries.letters(with_erased=True):
            if is_about(letter, keys[0], ids):
                queries.discard(shown, [at])
                letters += 1
    found = {"deployment": keys[0], "ids": list(ids), "erased": erased, "labels": pending, "dead_letters": letters}
    show(found, as_json, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    lines = [f"{n} rows of kind {kind}" for kind, n in found["erased"].items()]
    lines += [f"{found[what]} {name}" for what, name in _BESIDE.items() if found[what]]
    yield from lines or ["nothing was found"]
    yield "the stream and the outboxes hold what they have until it is older than LEEWAY_STREAM_KEPT_MB allows"
