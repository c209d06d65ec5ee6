"""`leeway build`"""

from pathlib import Path

import click

from .options import json_option, show


@click.command("build", short_help="Write a function as files for Nuclio and Docker.")
@click.argument("function")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where to.")
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="A variable of the function.")
@json_option
def command(function: str, folder: Path, variables: tuple[str, ...], as_json: bool) -> None:
    """Write FUNCTION (the name of a hub function, or a function.yaml) into a folder: function.yaml for nuctl or the
    Nuclio dashboard, and a Dockerfile on Nuclio's Python base with what it needs.

    \b
    Examples:
      leeway build model_server --to built
      leeway build model_server --to built --env SERVING_MODEL_m=/models/m.pkl
    """
    import yaml

    from leeway.errors import BundleError
    from leeway.local.bundle.image import write_image
    from leeway.local.hub import CHANNEL, LATEST, hub_folder

    if wrong := [each for each in variables if "=" not in each]:
        raise click.UsageError(f"--env {wrong[0]}: expected NAME=VALUE")
    path = Path(function)
    if not path.is_file():
        items = hub_folder() / "functions" / CHANNEL
        path = items / function.replace("-", "_") / LATEST / "src/function.yaml"
        if not path.is_file():
            known = ", ".join(sorted(each.name for each in items.glob("*/")))
            raise BundleError(f"no function {function!r}: it is neither a function.yaml nor one of {known}")
    document = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    written = [str(file) for file in write_image(document, folder, dict(v.split("=", 1) for v in variables))]
    show(written, as_json, lambda: [*written, f"nuctl deploy --file {folder}/function.yaml", f"docker build {folder}"])
