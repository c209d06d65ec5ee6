"""`leeway deploy`"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from leeway.settings import Settings

from .options import json_option, prepare_mlrun, service_option, show


@click.command("deploy", short_help="Serve a model, record its answers and watch it.")
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--reference", type=click.Path(exists=True, path_type=Path), help="Table (parquet or csv) to compare with."
)
@click.option("--label", help="Column of the reference that the model predicts.")
@click.option("--fitted", is_flag=True, help="The model was fitted on the reference; without it: it was kept back.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="Found from the model unless given.")
@click.option("--name", help="Name of the deployment; the file's name unless given.")
@click.option("--project", default="models", show_default=True, help="MLRun project to deploy into.")
@service_option
@json_option
def command(
    model: Path,
    reference: Path | None,
    label: str | None,
    fitted: bool,
    task: str | None,
    name: str | None,
    project: str,
    service: bool,
    as_json: bool,
) -> None:
    """Serve MODEL (a file that was pickled, or a folder of MLRun's) over HTTP, record every answer, and watch it for
    drift against the reference: a table with the model's features and the true values.

    \b
    Examples:
      leeway deploy model.pkl --reference holdout.parquet --label y
      leeway deploy model.pkl --reference train.csv --label price --fitted --name prices
    """
    prepare_mlrun(service)
    if (reference is None) != (label is None):
        raise click.UsageError("--reference and --label belong together: the table, and the column that is predicted")
    from .deployment import Deployment, load_model
    from .reference import Reference

    deployment, profile, answers = Deployment.of(model, name, project), None, b""
    if reference is not None:
        profile, answers = Reference(reference, label, held_out=not fitted).profile(load_model(model), task)
    found = deployment.deploy(Settings.read(), profile, answers)
    found["example"] = {"instances": json.loads(answers)["rows"][:1]} if answers else None
    found["error_level"] = profile.errors.level if profile is not None and profile.errors is not None else None
    show(found, as_json, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    name, url = found["name"], found["url"]
    yield f"{name} is served at {url}, and watched by {found['watched_by']}"
    if found["example"] is not None:
        yield f"  curl {url}/{name}/predict -d '{json.dumps(found['example'])}'"
    yield f"  leeway truth {name} FILE.csv    send what turned out to be true (columns id, row, truth)"
    yield "  leeway status                   how it is doing; `leeway down` stops it"
    if found["example"] is None:
        yield "Without a reference its answers are recorded, but drift cannot be found: --reference FILE --label COLUMN"
    elif found["error_level"] is None:
        yield "How often it errs is not known: the first labelled rows will set the level that drift is measured from."
    else:
        yield f"It erred on {found['error_level']:.1%} of the reference's rows: drift is measured from there."
