"""Two endpoints, arms or versions side by side, and how sure their difference is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..answers import COUNTED
from ..detectors.values import category, type_of
from ..latency import edges_us
from ..series import ERROR, FAILURES, LATENCY_US, REQUESTS
from .chart import Chart, Line, merged, quantile_lines, rate, values
from .intervals import difference_interval, mean_difference_interval
from .page import NotThere, Page
from .source import Source
from .span import Span

_MOST = 50


@dataclass(frozen=True)
class Difference:
    """What was compared, the two values, the first less the other, and its interval at 95 % (None: too few)."""

    what: str
    unit: str
    one: float | None
    other: float | None
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float | None:
        return None if self.one is None or self.other is None else self.one - self.other

    @property
    def is_sure(self) -> bool:
        """Whether zero lies outside of the interval."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True)
class Disagreement:
    """One row that two endpoints answered differently; `distance` is None where answers are no numbers."""

    id: str
    row: int
    one: Any
    other: Any
    distance: float | None


def compare(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """Endpoints `a` and `b`; without both, a form to choose them."""
    names = list(source.watched())
    a, b = query.get("a", ""), query.get("b", "")
    for name in filter(None, (a, b)):
        if name not in names:
            raise NotThere(f"no endpoint is called {name!r}; the overview lists them")
    if not a or not b:
        return Page("Compare", "compare.html", {"names": names, "a": a, "b": b, "differences": [], "rows": []})
    context = {
        "names": names,
        "a": a,
        "b": b,
        "differences": differences(source, a, b, span),
        "rows": disagreements(source, a, b, span),
    }
    return Page(f"Compare {a} with {b}", "compare.html", context, _charts(source, a, b, span))


def differences(source: Source, a: str, b: str, span: Span) -> list[Difference]:
    """Error rate, failures and mean latency of two endpoints."""
    one, other = (
        {name: source.points(name, endpoint, span) for name in (ERROR, FAILURES, LATENCY_US, REQUESTS)}
        for endpoint in (a, b)
    )
    wrong = [(sum(p.total for p in each[ERROR]), sum(p.count for p in each[ERROR])) for each in (one, other)]
    failed = [(sum(p.count for p in each[FAILURES]), sum(p.count for p in each[REQUESTS])) for each in (one, other)]
    slow = [_moments(merged(each[LATENCY_US])) for each in (one, other)]
    return [
        _of_shares("error rate", *wrong),
        _of_shares("failures", *failed),
        Difference("mean latency", "ms", *(each[0] if each[2] else None for each in slow),
                   mean_difference_interval(*slow[0], *slow[1])),
    ]  # fmt: skip


def _of_shares(what: str, one: tuple[float, int], other: tuple[float, int]) -> Difference:
    return Difference(what, "%", _share(*one), _share(*other), difference_interval(*one, *other))


def disagreements(source: Source, a: str, b: str, span: Span) -> list[Disagreement]:
    """The rows that both answered and not alike, the largest distance first: those of a shadow have the live id."""
    key = source.watched()[a].key
    if source.watched()[b].key != key:
        return []
    table = source.archive.read(
        "prediction", key, ("id", "row", "output", "endpoint_id", "status", "appended"), span.days
    )
    if not table.num_rows:
        return []
    inside = pc.and_(pc.greater_equal(table["appended"], span.start), pc.less(table["appended"], span.end))
    table = table.filter(pc.and_(inside, pc.equal(table["status"], COUNTED)))
    one, other = (_answers(table.filter(pc.equal(table["endpoint_id"], name))) for name in (a, b))
    found = [
        Disagreement(*place, said, other[place], _distance(said, other[place]))
        for place, said in one.items()
        if place in other and category(said) != category(other[place])
    ]
    return sorted(found, key=lambda each: -(each.distance or 0.0))[:_MOST]


def _answers(table: pa.Table) -> dict[tuple[str, int], Any]:
    return dict(zip(zip(table["id"].to_pylist(), table["row"].to_pylist()), table["output"].to_pylist()))


def _distance(one: Any, other: Any) -> float | None:
    return abs(float(one) - float(other)) if type_of(one) == type_of(other) == "number" else None


def _share(count: float, rows: int) -> float | None:
    return count / rows if rows else None


def _moments(histogram: Mapping[int, int]) -> tuple[float, float, int]:
    """Mean and variance in milliseconds, and how many; from the middles of the bins, which are 9 % wide."""
    n = sum(histogram.values())
    if not n:
        return 0.0, 0.0, 0
    middles = {number: sum(edges_us(number)) / 2e3 for number in histogram}
    mean = sum(middles[number] * count for number, count in histogram.items()) / n
    variance = sum((middles[number] - mean) ** 2 * count for number, count in histogram.items()) / max(n - 1, 1)
    return mean, variance, n


def _charts(source: Source, a: str, b: str, span: Span) -> dict[str, Chart]:
    pairs = (("a", a, "line"), ("b", b, "alarm"))
    latencies = [quantile_lines(span, source.points(LATENCY_US, name, span)) for _, name, _ in pairs]
    errors = [values(span, source.points(ERROR, name, span), lambda p: p.total / p.count) for _, name, _ in pairs]
    rates = [rate(span, source.points(REQUESTS, name, span)) for _, name, _ in pairs]
    tones = [tone for _, _, tone in pairs]
    return {
        "requests": Chart(span, "/s", [Line(p[0], rates[i], tones[i]) for i, p in enumerate(pairs)]),
        "p50": Chart(span, "ms", [Line(p[0], latencies[i][0].values, tones[i]) for i, p in enumerate(pairs)]),
        "p95": Chart(span, "ms", [Line(p[0], latencies[i][1].values, tones[i]) for i, p in enumerate(pairs)]),
        "errors": Chart(span, "", [Line(p[0], errors[i], tones[i]) for i, p in enumerate(pairs)]),
    }
