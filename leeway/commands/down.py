"""`leeway down`"""

import click

from leeway.settings import Settings

from .options import json_option, show


@click.command("down", short_help="Stop everything that was started here.")
@json_option
def command(as_json: bool) -> None:
    """Stop the platform and its functions: each sends on what it recorded first, and what
    workers that were killed left is sent too. Nothing else is touched; what was
    recorded and deployed stays, and `leeway up` brings it back.

    \b
    Examples:
      leeway down
    """
    from leeway.local import platform

    stopped = platform.down(Settings.read(), lambda line: click.echo(line, err=True))
    show({"stopped": stopped}, as_json, lambda: [f"stopped {what}" for what in stopped] or ["nothing was running"])
