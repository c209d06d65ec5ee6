"""Deployments from environment variables: each SERVING_MODEL_<name> is one, with one model behind it, and
SELDON_DEPLOYMENT is one, or several."""

import logging

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
    if settings.seldon:
        from .seldon_deployment import read_seldon

        for each in read_seldon(*seldon_source(settings.seldon, settings.function)):
            if each.deployment.name in settings.models:
                raise LoadError(f"SELDON_DEPLOYMENT and SERVING_MODEL_{each.deployment.name} have the same name")
            for note in each.notes:
                _log.warning("deployment %s: %s", each.deployment.name, note)
            found.append(each.deployment)
    return found


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
                    ),
                ),
            ),
        )
        for name, uri in settings.models.items()
    ]
