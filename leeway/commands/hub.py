"""`leeway hub build` and `leeway hub serve`"""

from dataclasses import asdict
from pathlib import Path

import click

from .options import json_option, show

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("hub", short_help="The hub of functions: generate it, serve it.")
def command() -> None:
    """The hub of functions, as MLRun's hub:// finds them."""


@command.command("build")
@click.option("--root", type=_FOLDER, default=".", help="The checkout.")
@json_option
def build(root: Path, as_json: bool) -> None:
    """Generate hub/ from functions/, each function with everything that it imports inside.

    \b
    Examples:
      leeway hub build
    """
    from leeway.local.hub import build_hub

    built = build_hub(root.absolute())
    show([asdict(one) for one in built], as_json, lambda: map(str, built))


@command.command("serve")
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--port", default=0, help="0 takes any that is free.")
@json_option
def serve(folder: Path | None, port: int, as_json: bool) -> None:
    """Serve FOLDER as a hub source on this machine, until Ctrl-C: a hub's layout, or a folder with one folder for each
    function. Without it, the hub that Leeway brings along.

    \b
    Examples:
      leeway hub serve
      leeway hub serve my_functions --port 8900
    """
    from leeway.local.hub import hub_folder
    from leeway.local.hub_server import HubServer

    server = HubServer(folder or hub_folder(), port)
    show({"url": server.url, "functions": server.names}, as_json, lambda: _lines(server.url, server.names))
    server.run()


def _lines(url: str, names: list[str]) -> list[str]:
    example = f"{url}/functions/master/{names[0]}/latest/src/function.yaml"
    return [f"{url} serves {', '.join(names)}", f'  mlrun.import_function("{example}")']
