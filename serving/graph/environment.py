"""Deployments from environment variables: each SERVING_MODEL_<name> is one, with one model behind it, and
SELDON_DEPLOYMENT is one, or several."""

import logging
from collections.abc import Collection
from dataclasses import replace

from serving.errors import LoadError
from serving.settings import ServingSettings

from .deployment import Deployment, Node, Predictor
from .seldon_source import seldon_source

_log = logging.getLogger("leeway.serving")

PREDICTOR = "default"


def deployments_of(settings: ServingSettings) -> list[Deployment]:
    """In the order of their names; those of SERVING_MODEL_* share MODEL_CLASS and SERVING_PARAMS. LoadError where a
    SeldonDeployment cannot be read, or has the name of a model."""
    found = _of_models(settings)
    for each in seldon_deployments(settings):
        if each.name in settings.models:
            raise LoadError(f"SELDON_DEPLOYMENT and SERVING_MODEL_{each.name} have the same name")
        found.append(each)
    return found


def seldon_deployments(settings: ServingSettings, hosted: Collection[str] = ()) -> list[Deployment]:
    """Of SELDON_DEPLOYMENT; what of it is not done is logged. `hosted` are models that the host brought along."""
    if not settings.seldon:
        return []
    from .seldon_deployment import read_seldon

    found = read_seldon(*seldon_source(settings.seldon, settings.function), hosted)
    for each in found:
        for note in each.notes:
            _log.warning("deployment %s: %s", each.deployment.name, note)
    is_here = not settings.seldon.startswith(("http://", "https://"))
    return [_vouched(each.deployment, settings, is_here) for each in found]


def _vouched(deployment: Deployment, settings: ServingSettings, is_here: bool) -> Deployment:
    """With what the deployer vouches for: a document on this machine counts as named by him, one from elsewhere needs
    an entry in SERVING_TRUSTED_MODELS for each model that runs code."""

    def node(each: Node) -> Node:
        is_listed = any(each.uri.startswith(known) for known in settings.trusted)
        trusted = settings.trusts(each.uri) if is_here else is_listed
        return replace(each, is_trusted=trusted, children=tuple(map(node, each.children)))

    predictors = tuple(replace(each, graph=node(each.graph)) for each in deployment.predictors)
    return replace(deployment, predictors=predictors)


def _of_models(settings: ServingSettings) -> list[Deployment]:
    return [
        Deployment(
            name,
            (
                Predictor(
                    PREDICTOR,
                    Node(
                        name,
                        uri=uri,
                        sha256=settings.hashes.get(name, ""),
                        class_name=settings.model_class,
                        parameters=settings.parameters,
                        is_trusted=settings.trusts(uri),
                    ),
                ),
            ),
        )
        for name, uri in settings.models.items()
    ]
