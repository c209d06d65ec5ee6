"""Moments that a reader knows of, across a chart."""

from matplotlib.axes import Axes

from monitoring.history import History

from .palette import Palette


def draw_marks(axes: Axes, history: History, palette: Palette, are_named: bool = True) -> None:
    """A thin line at each row of `history.marks`, with what happened there unless that is said elsewhere."""
    for name, row in history.marks.items():
        if row >= len(history.times):
            continue
        axes.axvline(history.times[row], color=palette.muted, linewidth=0.9, linestyle=(0, (1, 2)))
        if are_named:
            axes.annotate(
                name, (history.times[row], 1), xycoords=("data", "axes fraction"), xytext=(4, -2),
                textcoords="offset points", ha="left", va="top", color=palette.muted, fontsize=8,
            )  # fmt: skip
