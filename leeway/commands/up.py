"""`leeway up`"""

import click

from leeway.settings import Settings

from .options import json_option, show


@click.command("up", short_help="Start the platform and the functions that were deployed.")
@json_option
def command(as_json: bool) -> None:
    """Start the platform, and with it every function that was deployed before.

    \b
    Examples:
      leeway up
      LEEWAY_HOME=/data/leeway leeway up --json
    """
    from leeway.local import platform

    settings = Settings.read()
    url = platform.ensure(settings)
    names = sorted(platform.status(settings)["functions"])
    show(
        {"url": url, "functions": names},
        as_json,
        lambda: [
            f"The platform runs at {url}; functions: {', '.join(names) or 'none yet'}. `leeway status` shows them."
        ],
    )
