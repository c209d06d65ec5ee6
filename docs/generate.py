"""Writes the pages of docs/ that `pages` names from the code: `make docs`. The tests compare."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import msgspec

from leeway import record
from leeway.cli import main
from leeway.settings import Settings, variable
from serving.graph.seldon_fields import FIELDS

ROOT = Path(__file__).parents[1]
_SELDON = """# SeldonDeployments

Generated from serving/graph/seldon_fields.py by `make docs`.

`SELDON_DEPLOYMENT` of a model server is a SeldonDeployment of Seldon Core 1: a file, a URL, or the YAML itself. With
`leeway apply -f FILE` each of a file becomes a function of its own. Nodes run inside the function's workers; one that
works in a container of its own there is a Python class here. What becomes of each field: **served** by the function,
**mapped** into its Nuclio spec, **noted** (accepted, does nothing, and is said each time), or **refused** with the
reason. A field that is not in the table is refused as unknown.
"""
_SETTINGS = """# Settings

Generated from leeway/settings.py by `make docs`.

Each is an environment variable, read once when a process starts. A function takes them from its environment:
`fn.set_envs({"LEEWAY_DETECTOR_ARL0": "50000"})`. A value that cannot be is refused with the name, the value and what
was expected. What a model server is told besides (`SERVING_MODEL_<name>`, `INFERENCE_STREAM`, ...) is in
[its README](../functions/model_server/README.md).

| variable | default | what it says |
|---|---|---|"""
METRICS = {
    "model_server": "serving/exposition.py",
    "concept_drift": "monitoring/metrics.py",
    "the laptop's platform": "leeway/local/platform_metrics.py",
}


def pages() -> dict[str, str]:
    """{file in docs/: its text}"""
    found = {
        "record.md": _record(), "cli.md": _cli(), "settings.md": _settings(), "metrics.md": _metrics(),
        "seldon.md": _seldon(),
    }  # fmt: skip
    return {name: "\n".join(lines) for name, lines in found.items()}


def _record() -> Iterator[str]:
    yield "# The record\n"
    yield f"Generated from leeway/record.py by `make docs`.\n\n{inspect.getdoc(record)}\n"
    values = ", ".join(f"`{value}`" for value in (record.INFER, record.EXPLAIN, record.FEEDBACK, record.DECISION))
    yield f"The values of `op` are {values} and `{record.OUTBOX_END}`.\n"
    kinds = [one for one in vars(record).values() if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    for kind in sorted(kinds, key=lambda one: inspect.getsourcelines(one)[1]):
        yield f"## {kind.__name__}\n\n{inspect.getdoc(kind)}\n\n| field | type | default |\n|---|---|---|"
        for field in msgspec.structs.fields(kind):
            yield f"| `{field.encode_name}` | {_type(kind.__annotations__[field.name])} | {_default(field)} |"
        yield ""


def _type(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"(typing\.)?Annotated\[(int|str), [^\]]*\]", r"\2", text)
    return re.sub(r"\b(leeway\.record|typing)\.", "", text).replace("|", "or")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default is msgspec.NODEFAULT:
        return f"`{field.default_factory()!r}`"
    return "empty" if isinstance(field.default, msgspec.Struct) else f"`{field.default!r}`"


def _cli() -> Iterator[str]:
    yield "# The command `leeway`\n\nGenerated from the commands' own help by `make docs`.\n"
    context = click.Context(main, info_name="leeway", terminal_width=100, **main.context_settings)
    for name in main.list_commands(context):
        yield from _command(main.get_command(context, name), context, name, 2)


def _command(command: click.Command, above: click.Context, name: str, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above, terminal_width=100)
    yield f"{'#' * level} {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _command(command.get_command(context, inner), context, inner, level + 1)


def _settings() -> Iterator[str]:
    yield _SETTINGS
    for field in fields(Settings):
        if not field.metadata["foreign"]:
            default = f"`{field.default}`" if str(field.default) else ""
            yield f"| `{variable(field.metadata['key'])}` | {default} | {field.metadata['doc']} |"


def _metrics() -> Iterator[str]:
    yield "# Metrics\n\nGenerated from the code by `make docs`. `GET /metrics` of a function, for Prometheus.\n"
    for function, path in METRICS.items():
        yield f"## {function}\n\n| metric | type | labels | what it says |\n|---|---|---|---|"
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Call) and node.args and _is_name(node.args[0]):
                yield _metric(node)
        yield ""


def _seldon() -> Iterator[str]:
    yield _SELDON
    yield "| field | | here |\n|---|---|---|"
    for path, (fate, about) in FIELDS.items():
        yield f"| `{path}` | {fate} | {about} |"


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).startswith(("leeway_", "seldon_metric_"))


def _metric(node: ast.Call) -> str:
    kind = re.sub(r"MetricFamily$", "", ast.unparse(node.func).rpartition(".")[2]).lower()
    name, text = (argument.value for argument in node.args[:2])
    lists = [value for value in (*node.args[2:], *(one.value for one in node.keywords)) if isinstance(value, ast.List)]
    labels = ", ".join(f"`{label.value}`" for one in lists for label in one.elts)
    return f"| `{name}{'_total' if kind == 'counter' else ''}` | {kind} | {labels} | {text} |"


if __name__ == "__main__":
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text.rstrip() + "\n")
