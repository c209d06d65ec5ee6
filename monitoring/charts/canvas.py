"""Figures without global state: made here, turned into inline SVG here."""

import io
import re
from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from .palette import Palette, with_css_variables

_TEXT = {"svg.fonttype": "none", "svg.hashsalt": "leeway", "font.family": "sans-serif", "font.size": 9}


class Picture(Figure):
    """A figure that a notebook shows by itself, whether or not pyplot was imported there."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=100)
        return file.getvalue()


def figure(palette: Palette, rows: Sequence[float] = (1,), columns: int = 1, size: tuple[float, float] = (9.6, 2.4)):
    """(figure, its axes): `rows` are their relative heights, x axes of one column are shared where there is one."""
    fig = Picture(figsize=size, layout="constrained", facecolor=palette.paper)
    fig.get_layout_engine().set(w_pad=0.03, h_pad=0.06, wspace=0.03, hspace=0.02)
    axes = fig.subplots(
        len(rows), columns, sharex="col" if columns == 1 else False, squeeze=False, height_ratios=list(rows)
    )
    for each in axes.flat:
        plain(each, palette)
    return fig, axes


def plain(axes: Axes, palette: Palette) -> None:
    """No frame, a faint grid under everything, quiet ticks."""
    axes.set_facecolor("none")
    for side in axes.spines.values():
        side.set_visible(False)
    axes.grid(axis="y", color=palette.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=palette.muted, labelsize=8.5)


def titled(axes: Axes, palette: Palette, title: str, note: str = "") -> None:
    """A title at the left, and after it what is to be seen, in grey."""
    axes.set_title(title, loc="left", color=palette.ink, fontsize=9.5, fontweight="bold", pad=7)
    if note:
        axes.set_title(note, loc="right", color=palette.muted, fontsize=8.5, pad=7)


def dated(axes: Axes, times: np.ndarray) -> None:
    """Dates on the x axis, from the first to the last of `times`, as few words as it takes."""
    if len(times) > 1:
        axes.set_xlim(times[0], times[-1])
    locator = AutoDateLocator(minticks=5, maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def inline_svg(fig: Figure, label: str) -> str:
    """The figure as an <svg> element that scales to its container; `label` says what it shows to those who listen."""
    buffer = io.StringIO()
    with rc_context(_TEXT):
        fig.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\s(width|height)="[\d.]+pt"', "", svg, count=2)
    return with_css_variables(svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))
