"""Two endpoints, arms or versions side by side, and how sure their difference is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leeway.interfaces import Within

from ..detectors.values import category, type_of
from ..latency import edges_us
from ..outcomes import COUNTED
from ..series import CONCEPT, DATA, ERROR, FAILURES, LATENCY_US, REQUESTS
from .chart import Chart, Line, merged, quantile_lines, rate, values
from .intervals import difference_interval, mean_difference_interval
from .page import NotThere, Page
from .source import Source
from .span import Span, backwards, days_of

_MOST, _COMPARED = 50, 10_000
_UNITS = {
    "requests": "/s", "failures": "/s", "p50": "ms", "p95": "ms", "p99": "ms", "errors": "", "concept": "", "data": "",
}  # fmt: skip


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


@dataclass(frozen=True)
class Disagreements:
    """Some of them, of how many `rows` that both answered, appended from `since` on (epoch seconds)."""

    found: list[Disagreement]
    rows: int
    since: int


def compare(source: Source, query: Mapping[str, str], span: Span) -> Page:
    """Endpoints `a` and `b`; without both, a form to choose them."""
    names = list(source.watched())
    a, b = query.get("a", ""), query.get("b", "")
    for name in filter(None, (a, b)):
        if name not in names:
            raise NotThere(f"no endpoint is called {name!r}; the overview lists them")
    if not a or not b:
        return Page("Compare", "compare.html", {"names": names, "a": a, "b": b, "differences": []})
    context = {
        "names": names,
        "a": a,
        "b": b,
        "differences": differences(source, a, b, span),
        "disagreements": disagreements(source, a, b, span),
    }
    return Page(f"Compare {a} with {b}", "compare.html", context, lambda: _charts(source, a, b, span))


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


def disagreements(source: Source, a: str, b: str, span: Span) -> Disagreements:
    """The rows that both answered and not alike, the largest distance first: those of a shadow have the live id. Of a
    long time only the newest rows are compared."""
    key, one, other, since = source.watched()[a].key, pa.table({}), pa.table({}), span.end
    if source.watched()[b].key != key:
        return Disagreements([], 0, span.start)
    for since, until in backwards(span.end - 1, span.start):
        one, other = (
            _joined(table, _answers(source, key, name, since, until)) for table, name in ((one, a), (other, b))
        )
        if max(one.num_rows, other.num_rows) >= _COMPARED:
            break
    if not one.num_rows or not other.num_rows:
        return Disagreements([], 0, since)
    both = one.join(other, ["id", "row"], join_type="inner", right_suffix="_other")
    said, others = both["output"].to_pylist(), both["output_other"].to_pylist()
    found = [
        Disagreement(both["id"][i].as_py(), both["row"][i].as_py(), mine, its, _distance(mine, its))
        for i, (mine, its) in enumerate(zip(said, others))
        if mine != its and category(mine) != category(its)
    ]
    found.sort(key=lambda each: (-(each.distance or 0.0), each.id, each.row))
    return Disagreements(found[:_MOST], both.num_rows, since)


def _answers(source: Source, key: str, endpoint: str, since: int, until: int) -> pa.Table:
    """The rows that an endpoint answered, and how they were counted."""
    place = (Within("appended", since, until), Within("endpoint_id", endpoint, endpoint))
    mine = (*place, Within("status", COUNTED, COUNTED))
    return source.archive.read("prediction", key, ("id", "row", "output"), days_of(since, until), mine)


def _joined(table: pa.Table, more: pa.Table) -> pa.Table:
    if not table.num_rows or not more.num_rows:
        return more if more.num_rows else table
    return pa.concat_tables([table, more], promote_options="permissive")


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
    one, other = (_lines(source, name, span) for name in (a, b))
    return {
        name: Chart(span, unit, [Line("a", one[name], "line"), Line("b", other[name], "alarm")])
        for name, unit in _UNITS.items()
    }


def _lines(source: Source, name: str, span: Span) -> dict[str, list[float | None]]:
    """What the charts show of one endpoint."""
    slow = quantile_lines(span, source.points(LATENCY_US, name, span))
    high = {series: values(span, source.points(series, name, span), lambda p: p.high) for series in (CONCEPT, DATA)}
    return {
        "requests": rate(span, source.points(REQUESTS, name, span)),
        "failures": rate(span, source.points(FAILURES, name, span)),
        **{line.label: line.values for line in slow},
        "errors": values(span, source.points(ERROR, name, span), lambda p: p.total / p.count),
        "concept": high[CONCEPT],
        "data": high[DATA],
    }
