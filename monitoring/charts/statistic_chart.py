"""The concept detector's statistic against its threshold."""

from matplotlib.axes import Axes

from monitoring.history import History

from .alarm_bands import draw_alarm_bands
from .canvas import dated, titled
from .marks import draw_marks
from .palette import Palette


def draw_statistic(axes: Axes, history: History, palette: Palette) -> None:
    """The highest value of the statistic in each stretch of labelled rows; it begins anew after each alarm."""
    stretches = history.stretches
    titled(axes, palette, "CUSUM statistic", "highest in each stretch; begins anew after an alarm")
    dated(axes, history.times)
    if not stretches:
        return
    draw_alarm_bands(axes, history, palette)
    draw_marks(axes, history, palette, are_named=False)
    times = [history.middle_of(verdict) for verdict in stretches]
    highest = [verdict.statistic for verdict in stretches]
    threshold = stretches[-1].threshold
    axes.fill_between(times, highest, color=palette.line, alpha=0.15, linewidth=0)
    axes.plot(times, highest, color=palette.line, linewidth=1.6, solid_joinstyle="round")
    axes.axhline(threshold, color=palette.alarm, linewidth=1.1, linestyle=(0, (4, 3)))
    axes.annotate(
        f"threshold {threshold:.1f}", (1, threshold), xycoords=("axes fraction", "data"), xytext=(4, 0),
        textcoords="offset points", ha="left", va="center", color=palette.alarm, fontsize=8,
    )  # fmt: skip
    axes.set_ylim(0, max(max(highest), threshold) * 1.2)
