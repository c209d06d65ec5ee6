"""Deployments from environment variables: each SERVING_MODEL_<name> is one, with one model behind it."""

from serving.settings import ServingSettings

from .deployment import Deployment, Node, Predictor

PREDICTOR = "default"


def deployments_of(settings: ServingSettings) -> list[Deployment]:
    """In the order of their names. All of them share MODEL_CLASS and SERVING_PARAMS."""
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
