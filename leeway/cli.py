"""The command `leeway`. One file per command in leeway/commands; each is imported when it is asked for."""

import re
import sys
from importlib import import_module

import click

from .errors import LeewayError

_COMMANDS = (
    "demo", "up", "status", "logs", "deploy", "apply", "get", "describe", "delete", "traffic", "patch", "invoke",
    "truth", "incidents", "replay", "calibrate", "dead-letters", "erase", "down", "hub", "build", "completion",
)  # fmt: skip


class _Commands(click.Group):
    """Finds the commands by name; `--help` lists them in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        return import_module(f".commands.{name.replace('-', '_')}", __package__).command

    def invoke(self, ctx: click.Context) -> None:
        """One line instead of a traceback, unless --debug asks for it."""
        try:
            super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(130)
        except Exception as exc:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(_one_line(exc)) from exc


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Everything lies in ./.leeway; LEEWAY_HOME names another place.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="leeway-mlops", prog_name="leeway")
def main(debug: bool) -> None:
    """Serve models, record every answer, find out when the world has moved away from the model."""


def _one_line(exc: Exception) -> str:
    text = re.sub(r"\s+", " ", str(exc)).strip()
    if isinstance(exc, LeewayError):
        return text
    return f"{type(exc).__name__}: {text or 'no reason given'} (`leeway --debug ...` shows where)"
