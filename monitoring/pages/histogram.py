"""A feature's window on top of its reference, as bars of an SVG of 240 by 70."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from leeway.profile import NUMERIC, FeatureProfile

from ..detectors.values import category, numbers_of

WIDTH, HEIGHT = 240, 70
_BINS, _BARS, _SAMPLE = 24, 8, 5_000
_INSIDE = (0.005, 0.995)


@dataclass(frozen=True)
class Bar:
    """A bar's left edge, top, width and height, and what it says in words."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """Shares of the reference and of the window, over the same bins or categories; `ends` names the axis's ends."""

    reference: list[Bar]
    window: list[Bar]
    ends: tuple[str, str]


def histogram_of(reference: FeatureProfile, values: Sequence[Any] | np.ndarray) -> Histogram:
    """Of a profile and the values of one window, shape (n,)."""
    if reference.kind == NUMERIC:
        names, known, seen = _numbers(reference, values)
    else:
        names, known, seen = _categories(reference, values)
    top = max(max(seen, default=0.0), min(max(known, default=0.0), 2.5 * max(seen, default=1.0))) or 1.0
    ends = (names[0].partition(" to ")[0], names[-1].rpartition(" to ")[2]) if names else ("", "")
    return Histogram(_bars(names, known, top, 0.96), _bars(names, seen, top, 0.55), ends)


def _bars(names: Sequence[str], shares: Sequence[float], top: float, fill: float) -> list[Bar]:
    across = WIDTH / max(len(names), 1)
    bars = []
    for i, (name, share) in enumerate(zip(names, shares)):
        height = min(share / top, 1.0) * (HEIGHT - 2)
        left = across * (i + (1 - fill) / 2)
        bars.append(
            Bar(round(left, 1), round(HEIGHT - height, 1), round(across * fill, 1), round(height, 1),
                f"{name}: {share:.1%}")
        )  # fmt: skip
    return bars


def _numbers(reference: FeatureProfile, values: Any) -> tuple[list[str], list[float], list[float]]:
    known = np.frombuffer(reference.sample, "<f8")
    seen = numbers_of(values if isinstance(values, np.ndarray) else list(values))
    seen = seen[np.isfinite(seen)]
    ends = [np.quantile(some, _INSIDE) for some in (known, seen) if len(some)]
    if not ends:
        return [], [], []
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    shares = [np.histogram(np.clip(some, edges[0], edges[-1]), edges)[0] / max(len(some), 1) for some in (known, seen)]
    names = [f"{begin:.3g} to {end:.3g}" for begin, end in pairwise(edges)]
    return names, shares[0].tolist(), shares[1].tolist()


def _categories(reference: FeatureProfile, values: Any) -> tuple[list[str], list[float], list[float]]:
    seen = Counter(name for value in list(values) if (name := category(value)) is not None)
    names = [*reference.categories, *(name for name in seen if name not in reference.categories)][:_BARS]
    known = [reference.categories.get(name, 0) / max(reference.present, 1) for name in names]
    return names, known, [seen[name] / max(seen.total(), 1) for name in names]
