"""The error rate of an endpoint against the level that it had in training."""

from matplotlib.axes import Axes

from monitoring.history import History

from .alarm_bands import draw_alarm_bands
from .canvas import dated, titled
from .marks import draw_marks
from .palette import Palette


def draw_errors(axes: Axes, history: History, palette: Palette) -> None:
    """Error rate of each stretch of labelled rows, beside what the rows let expect; the reference level, and the band
    in which stretches of that size stay 19 times of 20 while nothing changes."""
    stretches = history.stretches
    rows = stretches[0].rows if stretches else 0
    titled(axes, palette, "Error rate", f"each {rows:,} labelled rows" if rows else "no labelled rows yet")
    dated(axes, history.times)
    if not stretches:
        return
    times = [history.middle_of(verdict) for verdict in stretches]
    draw_alarm_bands(axes, history, palette)
    draw_marks(axes, history, palette)
    _draw_reference(axes, history, rows, palette)
    rates = [verdict.details["error_rate"] for verdict in stretches]
    axes.plot(times, rates, color=palette.line, linewidth=1.6, solid_joinstyle="round")
    expected = _draw_expected(axes, history, palette)
    axes.set_ylim(0, max([*rates, *expected]) * 1.15)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _draw_expected(axes: Axes, history: History, palette: Palette) -> list[float]:
    """The error rates that the rows let expect without labels."""
    found = [(history.middle_of(verdict), verdict.statistic) for verdict in history.performance]
    if not found:
        return []
    times, rates = zip(*found)
    axes.plot(times, rates, color=palette.muted, linewidth=1.1, linestyle=(0, (1, 2)), label="expected without labels")
    axes.legend(loc="upper left", fontsize=8, frameon=False, labelcolor=palette.muted)
    return list(rates)


def _draw_reference(axes: Axes, history: History, rows: int, palette: Palette) -> None:
    level, band = history.level, history.band(rows)
    if level is None or band is None:
        return
    axes.axhspan(*band, color=palette.reference, alpha=0.18, linewidth=0)
    axes.axhline(level.level, color=palette.reference, linewidth=1.1, linestyle=(0, (4, 3)))
    axes.annotate(
        f"kept-back rows {level.level:.1%}", (1, level.level), xycoords=("axes fraction", "data"), xytext=(4, 0),
        textcoords="offset points", ha="left", va="center", color=palette.muted, fontsize=8,
    )  # fmt: skip
