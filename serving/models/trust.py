"""Whether a model may be loaded: it is what was logged, and whoever named it answers for what it runs."""

from leeway.backends.redacted import redacted
from leeway.model_hash import model_hash
from serving.errors import LoadError
from serving.graph.deployment import Node

from .locate import Located

_DIGITS = 12


def check_trust(node: Node, located: Located, may_run_code: bool) -> None:
    """LoadError where the model is not what it was said to be, or could run code that nobody vouched for: what the
    deployer names on this machine, in MLRun or in the registry that is configured is vouched for by that; from
    anywhere else a hash vouches, or an entry in SERVING_TRUSTED_MODELS."""
    name = node.name
    if node.sha256 and (found := model_hash(located.path)) != node.sha256:
        raise LoadError(
            f"SERVING_MODEL_{name}={located.path} has the hash {found[:_DIGITS]}…, and not "
            f"{node.sha256[:_DIGITS]}… as SERVING_MODEL_HASH_{name} says: it was changed after it was "
            "deployed; deploy it again, or put back what was there"
        )
    if may_run_code and not node.is_trusted and not node.sha256:
        raise LoadError(
            f"SERVING_MODEL_{name}={redacted(node.uri)} runs code when it is loaded, and nobody vouches for it: set "
            f"SERVING_MODEL_HASH_{name} to the hash that it was logged with, put the beginning of its address into "
            "SERVING_TRUSTED_MODELS, or (models:/ and runs:/) set MLFLOW_TRACKING_URI"
        )
