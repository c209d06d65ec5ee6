"""`leeway up`"""

import click

from leeway.settings import Settings

from .options import json_option, show


@click.command("up", short_help="Start the platform and the functions that were deployed.")
@json_option
def command(as_json: bool) -> None:
    """Start the platform, and with it every function that was deployed before, and the dashboard.

    \b
    Examples:
      leeway up
      LEEWAY_HOME=/data/leeway leeway up --json
    """
    from leeway.local import platform
    from leeway.local.pages import ensure_pages

    settings = Settings.read()
    url = platform.ensure(settings)
    pages = ensure_pages(settings)
    names = sorted(platform.status(settings)["functions"])
    show(
        {"url": url, "functions": names, "dashboard": pages},
        as_json,
        lambda: [
            f"The platform runs at {url}; functions: {', '.join(names)}. `leeway status` shows them.",
            f"The dashboard: {pages}",
        ],
    )
