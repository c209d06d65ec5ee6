"""Changes the traffic of a deployment from a notebook or a script."""

from typing import Any


def set_traffic(deployment: str, why: str = "", **shares: int) -> dict[str, Any]:
    """Give predictors of a SeldonDeployment that was applied here their shares in percent; what is in force then, and
    which workers have it. A predictor whose name is no Python name is passed as `**{"model-a": 25}`.

    LeewayError where there is no such deployment or predictor, or the shares do not add up.
    """
    from leeway.commands.seldon import find, traffic
    from leeway.settings import Settings

    settings = Settings.read()
    return traffic(settings, find(settings, deployment), shares, why)
