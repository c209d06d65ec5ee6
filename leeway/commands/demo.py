"""`leeway demo`"""

import click

from leeway.settings import Settings

from .options import json_option, prepare_mlrun, service_option, show


@click.command("demo", short_help="Run the whole loop on a real data stream.")
@click.option("--rows", type=click.IntRange(min=1), help="Replay only the first N rows.")
@service_option
@json_option
def command(rows: int | None, service: bool, as_json: bool) -> None:
    """Train a model, serve it, replay the Elec2 stream through it with labels that come a day later, and show what the
    drift detectors found. Runs the project's `main` workflow; ends with a summary and a report page.

    \b
    Examples:
      leeway demo
      leeway demo --rows 6000
    """
    prepare_mlrun(service)
    from leeway.demo import run_demo

    summary = run_demo(Settings.read(), rows=rows)
    show(summary, as_json, lambda: [])
