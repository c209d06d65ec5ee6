"""Where a concept detector alarmed, behind a chart."""

from matplotlib.axes import Axes

from monitoring.history import History

from .palette import Palette


def draw_alarm_bands(axes: Axes, history: History, palette: Palette) -> None:
    """A band over the rows behind each alarm, a line where the first one was raised."""
    for verdict in history.concept_alarms:
        begin, end = history.time_of(verdict.first), history.time_of(verdict.last)
        axes.axvspan(begin, end, color=palette.alarm, alpha=0.10, linewidth=0)
    if history.concept_alarms:
        axes.axvline(history.time_of(history.concept_alarms[0].last), color=palette.alarm, linewidth=1.2)
