"""SeldonDeployments in service: applied, found again, and taken out of it."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leeway.errors import PlatformError
from leeway.own_outbox import record_of, send
from leeway.record import DECISION
from leeway.settings import Settings

from . import functions

if TYPE_CHECKING:
    from leeway.interfaces import State
    from serving.graph.seldon_deployment import SeldonDeployment

VARIABLE = "SELDON_DEPLOYMENT"
_SERVER, _WATCHER = "hub://leeway/model_server", "hub://leeway/concept_drift"


@dataclass(frozen=True)
class Applied:
    """One that is in service: `function` is the full name of the function that serves it, `stream` where it records."""

    function: str
    project: str
    stream: str
    seldon: "SeldonDeployment"

    @property
    def name(self) -> str:
        return self.seldon.deployment.name

    @property
    def key(self) -> str:
        """project/function/deployment, as records have it."""
        return f"{self.project}/{self.function.removeprefix(f'{self.project}-')}/{self.name}"


def apply(file: Path, project: str, settings: Settings) -> list[dict[str, Any]]:
    """Deploy every SeldonDeployment of a file as a function of its own, with its drift function. LeewayError where the
    YAML is wrong, or it does not start."""
    from serving.graph.seldon_deployment import read_seldon

    return [_apply(each, file.parent, project, settings) for each in read_seldon(file.read_text(), file.stem)]


def applied(settings: Settings) -> list[Applied]:
    """By the names of their functions."""
    from leeway.local.function_spec import PROJECT_LABEL
    from leeway.local.home import Home, read_json
    from serving.graph.seldon_deployment import read_seldon

    found = []
    for function in Home.at(settings.home).deployed():
        document = read_json(function.document)
        env = {each["name"]: each.get("value") for each in document.get("spec", {}).get("env") or []}
        project = (document["metadata"].get("labels") or {}).get(PROJECT_LABEL, "default")
        if text := env.get(VARIABLE):
            name = function.path.name
            short = name.removeprefix(f"{project}-")
            stream = env.get("INFERENCE_STREAM") or ""
            found += [Applied(name, project, stream, each) for each in _read(text, short, read_seldon)]
    return found


def find(settings: Settings, name: str) -> Applied:
    """By its name, or by project/function/deployment; PlatformError where there is none, or there are several."""
    known = applied(settings)
    found = [each for each in known if name in (each.name, each.key)]
    if len(found) == 1:
        return found[0]
    if found:
        raise PlatformError(f"{name!r} is deployed by {', '.join(each.key for each in found)}: give one of these")
    there = ", ".join(each.name for each in known) or "none"
    raise PlatformError(f"no SeldonDeployment {name!r} was applied here; there are: {there}")


def delete(settings: Settings, one: Applied) -> list[str]:
    """Stop its function and what watches it, and forget them; their full names."""
    import httpx

    from leeway.local import platform

    url, known = platform.ensure(settings), functions.deployed(settings)
    gone = [name for name in (one.function, f"{one.function}-drift") if name in known]
    for name in gone:
        body = {"metadata": {"name": name}}
        answer = httpx.request("DELETE", f"{url}/api/functions", json=body, timeout=60)
        if answer.is_error:
            raise PlatformError(f"{name} cannot be deleted: {answer.status_code} {answer.text}")
    return gone


def traffic(settings: Settings, one: Applied, shares: Mapping[str, int], why: str) -> dict[str, Any]:
    """Give its predictors these shares, in every worker, and put it on record in its stream."""
    import getpass

    from serving.traffic import set_traffic

    who = getpass.getuser()
    with _shared(settings) as state:
        made = set_traffic(state, one.key, one.seldon.deployment, shares, who, why)
    weights, version = made.change.weights, made.change.version
    decision = {"do": "traffic", "weights": weights, "version": version, "who": who, "note": why}
    told = send(settings, one.stream, one.key, [lambda at: record_of(one.key, DECISION, at, decision=decision)])
    return {
        "name": one.name,
        "traffic": weights,
        "version": version,
        "confirmed": list(made.confirmed),
        "waiting": list(made.waiting),
        "notes": list(made.notes),
        "recorded": told,
    }


def history(settings: Settings, one: Applied) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """(the shares in force, every change of them from the first on)"""
    import msgspec

    from leeway.desired import desired
    from serving.traffic import current

    with _shared(settings) as state:
        found = desired(state, one.key)
        changes = [] if found is None else [msgspec.to_builtins(each) for each in found.history]
        return current(state, one.key, one.seldon.deployment), changes


def about(settings: Settings) -> Iterator[dict[str, Any]]:
    """What is known of each: name, function, state, url, predictors."""
    known = functions.deployed(settings)
    for each in applied(settings):
        status = known.get(each.function, {})
        yield {
            "name": each.name,
            "namespace": each.seldon.namespace,
            "function": each.function,
            "state": status.get("state", ""),
            "url": next(iter(status.get("addresses", [])), ""),
            "predictors": _predictors(settings, each),
            "notes": list(each.seldon.notes),
        }


def _predictors(settings: Settings, one: Applied) -> list[dict[str, Any]]:
    """With the traffic that is in force."""
    shares, _ = history(settings, one)
    found = [_predictor(each) for each in one.seldon.deployment.predictors]
    return [{**each, "traffic": shares.get(each["name"], each["traffic"])} for each in found]


def _predictor(predictor: Any) -> dict[str, Any]:
    nodes = [
        {
            "name": node.name, "type": node.kind, "implementation": node.implementation or node.class_name,
            "modelUri": node.uri,
        }
        for node in predictor.graph.walk()
    ]  # fmt: skip
    found = {
        "name": predictor.name, "traffic": predictor.weight, "shadow": predictor.is_shadow, "nodes": nodes,
    }  # fmt: skip
    if predictor.explainer:
        found["explainer"] = {"type": predictor.explainer, "status": "not served"}
    return found


def _apply(seldon: "SeldonDeployment", folder: Path, project: str, settings: Settings) -> dict[str, Any]:
    import yaml

    from .deployment import deploy_function, mlrun_project

    name, shape = seldon.deployment.name, seldon.shape
    home, stream = mlrun_project(project, settings), f"users/admin/{name}"
    _begin_anew(settings, f"{project}/{name}/{name}")
    text = yaml.safe_dump(_with_absolute_paths(seldon.document, folder, name), sort_keys=False)
    url = deploy_function(
        home, _SERVER, name, {**shape.env, VARIABLE: text, "INFERENCE_STREAM": stream}, shape.workers, shape.spec()
    )
    deploy_function(home, _WATCHER, f"{name}-drift", {"INFERENCE_STREAM": stream})
    return {
        "name": name,
        "url": url,
        "function": f"{project}-{name}",
        "watched_by": f"{project}-{name}-drift",
        "stream": stream,
        "predictors": [_predictor(each) for each in seldon.deployment.predictors],
        "notes": list(seldon.notes),
    }


def _begin_anew(settings: Settings, key: str) -> None:
    """What the file says is in force from now on."""
    from leeway.desired import reset

    with _shared(settings) as state:
        reset(state, key, "apply")


@contextmanager
def _shared(settings: Settings) -> "Iterator[State]":
    """The state that the workers of all functions share."""
    from leeway.backends import connect
    from leeway.desired import SHARED

    with closing(connect.state(settings, SHARED)) as state:
        yield state


def _with_absolute_paths(document: Mapping[str, Any], folder: Path, name: str) -> dict[str, Any]:
    """Files beside the YAML are named so that a worker finds them; a document without a name has one."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        found = {key: changed(each) for key, each in value.items()}
        uri = found.get("modelUri")
        if isinstance(uri, str) and "://" not in uri and (folder / uri).exists():
            found["modelUri"] = str((folder / uri).absolute())
        return found

    return {**changed(document), "metadata": {**(document.get("metadata") or {}), "name": name}}


def _read(text: str, name: str, read_seldon: Any) -> "list[SeldonDeployment]":
    from serving.errors import LoadError
    from serving.graph.seldon_source import seldon_source

    try:
        return read_seldon(*seldon_source(text, name))
    except LoadError:
        return []  # the function says what is wrong with it
