"""One picture of an endpoint for a notebook: `leeway.plot`. A module of that name would hide the function."""

from typing import Any

from .errors import StoreError
from .settings import Settings


def plot(endpoint: str = "", settings: Settings | None = None) -> Any:
    """A matplotlib Figure: the error rate of an endpoint with its reference band, and the concept detector's statistic
    against its threshold, over the time of the rows.

    `endpoint` is an endpoint id or any part of one that only one has; it may be left out where there is only one.
    StoreError names the endpoints there are where it fits none or several.
    """
    from monitoring.charts.canvas import figure
    from monitoring.charts.error_chart import draw_errors
    from monitoring.charts.palette import LIGHT
    from monitoring.charts.statistic_chart import draw_statistic
    from monitoring.history import history_of
    from monitoring.queries import Queries

    settings = settings or Settings.read()
    with Queries(settings) as queries:
        history = history_of(queries, _only(queries.endpoints(), endpoint))
    fig, axes = figure(LIGHT, rows=(3, 2), size=(9.6, 4.6))
    draw_errors(axes[0, 0], history, LIGHT)
    draw_statistic(axes[1, 0], history, LIGHT)
    return fig


def _only(endpoints: list[str], part: str) -> str:
    found = [each for each in endpoints if part == each] or [each for each in endpoints if part in each]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(endpoints) or "none: nothing was watched yet"
    raise StoreError(f"endpoint {part!r} is {'none' if not found else 'several'} of those there are: {listed}")
