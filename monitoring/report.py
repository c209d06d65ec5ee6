"""The report page: one HTML file that shows what an endpoint went through, and needs no network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from leeway.interfaces import Point
from leeway.record import Verdict

from .charts.canvas import figure, inline_svg
from .charts.error_chart import draw_errors
from .charts.features_chart import draw_features
from .charts.histogram_chart import draw_histogram
from .charts.palette import VARIABLES
from .charts.statistic_chart import draw_statistic
from .charts.traffic_chart import draw_latency, draw_traffic
from .history import History
from .report_tables import Late, alarm_lines, count_lines, late_line, losses, moved_lines, tiles
from .story import story_of

_PANELS, _COLUMNS, _WIDTH = 9, 3, 10.2


@dataclass(frozen=True)
class Strongest:
    """A feature in the window in which it was farthest from the reference; `values` are its values there."""

    feature: str
    verdict: Verdict
    values: Sequence[Any] | np.ndarray


@dataclass(frozen=True)
class Report:
    """What a page is made of. `summary` is that of monitoring/summary.py, `differences` what does not add up in it;
    `requests` and `latencies` are the endpoint's series, second by second; `late` is what truth said that came too
    late for the detectors."""

    history: History
    summary: Mapping[str, Any]
    differences: Sequence[str]
    requests: Sequence[Point]
    latencies: Sequence[Point]
    strongest: Sequence[Strongest]
    late: Late = Late(0, 0)

    def page(self) -> str:
        """The HTML."""
        text = files(__package__).joinpath("pages/report.html").read_text()
        template = Environment(autoescape=True, undefined=StrictUndefined).from_string(text)
        return template.render(**self._texts(), **self._tables(), **self._charts())

    def _texts(self) -> dict[str, Any]:
        windows = self.history.windows
        versions = ", ".join(f"{name} {version}" for name, version in self.summary["versions"].items())
        return {
            "title": f"What happened to {self.history.endpoint.split('/')[2]}",
            "endpoint": self.history.endpoint,
            "lead": story_of(self.history),
            "window_rows": windows[0].rows if windows else 0,
            "footer": f"Made with {versions}.",
        }

    def _tables(self) -> dict[str, Any]:
        return {
            "tiles": tiles(self.history, self.summary, self.latencies),
            "alarms": alarm_lines(self.history),
            "beside": moved_lines(self.history, [(found.feature, found.verdict) for found in self.strongest]),
            "counts": count_lines(self.summary),
            "differences": list(self.differences),
            "losses": losses(self.summary),
            "late": late_line(self.late),
            "places": [*self.summary["paths"].items(), *self.summary["endpoints"].items()],
        }

    def _charts(self) -> dict[str, str]:
        return {
            "concept": self._concept(),
            "features": self._features(),
            "moved": self._moved(),
            "traffic": _small(draw_traffic, self.requests, "requests a second"),
            "latency": _small(draw_latency, self.latencies, "latency quantiles"),
        }

    def _concept(self) -> str:
        fig, axes = figure(VARIABLES, rows=(3, 2), size=(_WIDTH, 4.7))
        draw_errors(axes[0, 0], self.history, VARIABLES)
        draw_statistic(axes[1, 0], self.history, VARIABLES)
        return inline_svg(fig, "error rate and CUSUM statistic over time")

    def _features(self) -> str:
        fig, axes = figure(VARIABLES, size=(_WIDTH, 0.6 + 0.27 * len(self.history.watched_names)))
        draw_features(axes[0, 0], self.history, VARIABLES)
        return inline_svg(fig, "how far each feature was from training, window by window")

    def _moved(self) -> str:
        shown = self.strongest[:_PANELS]
        if not shown:
            return ""
        lines = -(-len(shown) // _COLUMNS)
        fig, axes = figure(VARIABLES, rows=(1,) * lines, columns=_COLUMNS, size=(_WIDTH, 2.0 * lines))
        for panel in axes.flat[len(shown) :]:
            panel.set_visible(False)
        for panel, found in zip(axes.flat, shown):
            first, last = (self.history.number_of(row) for row in (found.verdict.first, found.verdict.last))
            reference = self.history.reference_of(found.feature)
            draw_histogram(panel, reference, found.values, f"rows {first:,} to {last:,}", VARIABLES)
        return inline_svg(fig, "the features that moved, against training")


def _small(draw: Callable[..., None], points: Sequence[Point], label: str) -> str:
    fig, axes = figure(VARIABLES, size=(5.0, 2.1))
    draw(axes[0, 0], points, VARIABLES)
    return inline_svg(fig, label)
