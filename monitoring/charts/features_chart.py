"""Which features moved, window by window."""

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.dates import date2num
from matplotlib.patches import Rectangle

from monitoring.history import History

from .canvas import dated
from .marks import draw_marks
from .palette import Palette

_FULL = 4.0  # an effect of so many gates has the full colour
_LIGHTEST, _GAP = 0.06, 0.12


def draw_features(axes: Axes, history: History, palette: Palette) -> None:
    """A cell per feature and window: the deeper, the farther from the reference; red with a dot where it alarmed."""
    names = history.watched_names
    for verdict in history.windows:
        begin, end = (float(date2num(history.time_of(row))) for row in (verdict.first, verdict.last))
        for line, name in enumerate(names):
            colour = palette.alarm if name in verdict.features else palette.reference
            _draw_cell(axes, begin, end, line, to_rgba(colour, _depth(history.move_of(verdict, name))))
            if name in verdict.features:
                axes.plot((begin + end) / 2, line, ".", color=palette.paper, markersize=3.5, zorder=3)
    draw_marks(axes, history, palette, are_named=False)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=palette.ink)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False)
    axes.xaxis_date()
    dated(axes, history.times)


def _draw_cell(axes: Axes, begin: float, end: float, line: int, colour: tuple[float, ...]) -> None:
    width = (end - begin) * (1 - _GAP)
    axes.add_patch(Rectangle((begin, line - 0.42), width, 0.84, facecolor=colour, linewidth=0))


def _depth(gates: float) -> float:
    """The opacity of an effect in multiples of its gate."""
    return _LIGHTEST + (1 - _LIGHTEST) * min(gates / _FULL, 1.0)
