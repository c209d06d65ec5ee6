"""A feature in a window on top of the same feature in the reference."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from leeway.profile import NUMERIC, FeatureProfile

from .canvas import titled
from .palette import Palette

_BINS, _BARS = 28, 8
_INSIDE = (0.005, 0.995)
_TALLEST = 2.5  # a reference that is one spike is cut where the window can still be seen


def draw_histogram(
    axes: Axes, reference: FeatureProfile, values: Sequence[Any] | np.ndarray, note: str, palette: Palette
) -> None:
    """Shares of the reference in grey, of `values` (one window, shape (n,)) in blue."""
    titled(axes, palette, reference.name, note)
    if reference.kind == NUMERIC:
        _draw_numbers(axes, reference, values, palette)
    else:
        _draw_categories(axes, reference, values, palette)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.yaxis.get_major_locator().set_params(nbins=4)
    if reference.kind == NUMERIC:
        axes.xaxis.get_major_locator().set_params(nbins=5)


def _draw_numbers(axes: Axes, reference: FeatureProfile, values: Any, palette: Palette) -> None:
    known = np.frombuffer(reference.sample, "<f8")
    seen = np.array([np.nan if value is None else value for value in values], dtype=float)
    seen = seen[np.isfinite(seen)]
    edges = _edges(known, seen)
    shares = [np.histogram(np.clip(some, edges[0], edges[-1]), edges)[0] / max(len(some), 1) for some in (known, seen)]
    axes.stairs(shares[0], edges, fill=True, color=palette.reference, alpha=0.45, linewidth=0)
    axes.stairs(shares[1], edges, fill=True, color=palette.line, alpha=0.18, linewidth=0)
    axes.stairs(shares[1], edges, color=palette.line, linewidth=1.5)
    axes.set_ylim(0, 1.15 * min(shares[0].max(), _TALLEST * shares[1].max()) if shares[1].any() else None)
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.15 * shares[1].max()))


def _edges(known: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Equal bins over where nearly all values lie; what is beyond counts to the outermost."""
    ends = [np.quantile(some, _INSIDE) for some in (known, seen) if len(some)]
    if not ends:
        return np.linspace(0.0, 1.0, _BINS + 1)
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return np.linspace(low, high if high > low else low + 1.0, _BINS + 1)


def _draw_categories(axes: Axes, reference: FeatureProfile, values: Any, palette: Palette) -> None:
    seen = Counter(str(value) for value in values if value is not None)
    names = [*reference.categories, *(name for name in seen if name not in reference.categories)][:_BARS]
    known = [reference.categories.get(name, 0) / max(reference.present, 1) for name in names]
    shares = [seen[name] / max(seen.total(), 1) for name in names]
    places = np.arange(len(names))
    axes.bar(places, known, 0.8, color=palette.reference, alpha=0.45)
    axes.bar(places, shares, 0.4, color=palette.line, alpha=0.8)
    axes.set_xticks(places, names)
