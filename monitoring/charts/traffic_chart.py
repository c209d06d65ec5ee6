"""Requests a second and how long they took, by the clock of the stream."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from leeway.interfaces import Point
from monitoring.latency import quantile_us

from .canvas import titled
from .palette import Palette

_QUANTILES = ((0.5, 1.8, 1.0), (0.95, 1.2, 0.75), (0.99, 1.0, 0.5))  # q, line width, opacity


def draw_traffic(axes: Axes, requests: Sequence[Point], palette: Palette) -> None:
    """Requests of each second, from the series `requests`."""
    seconds, counts = _filled(requests)
    titled(axes, palette, "Requests a second", "seconds since the first")
    axes.fill_between(seconds, counts, color=palette.line, alpha=0.15, linewidth=0, step="mid")
    axes.step(seconds, counts, color=palette.line, linewidth=1.4, where="mid")
    axes.set_ylim(0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def draw_latency(axes: Axes, latencies: Sequence[Point], palette: Palette) -> None:
    """p50, p95 and p99 of each second, from the histograms of the series `latency_us`."""
    titled(axes, palette, "Latency [ms]", "whole durations in the server")
    if not latencies:
        return
    seconds = [point.bucket - latencies[0].bucket for point in latencies]
    for q, width, opacity in _QUANTILES:
        values = [quantile_us(point.histogram, q) / 1000 for point in latencies]
        axes.plot(seconds, values, color=palette.line, linewidth=width, alpha=opacity, label=f"p{q * 100:g}")
    axes.legend(loc="upper left", ncols=3, frameon=False, fontsize=8, labelcolor=palette.muted, handlelength=1.4)
    axes.set_ylim(0, 1.35 * float(np.quantile(values, 0.95)))  # a few seconds may stick out


def _filled(points: Sequence[Point]) -> tuple[np.ndarray, np.ndarray]:
    """Counts by second since the first point, 0 where there is none."""
    if not points:
        return np.zeros(1), np.zeros(1)
    counts = np.zeros(points[-1].bucket - points[0].bucket + 1)
    for point in points:
        counts[point.bucket - points[0].bucket] = point.count
    return np.arange(len(counts)), counts
