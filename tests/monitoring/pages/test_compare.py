"""Two endpoints side by side."""

LIVE, SHADOW = "shop/server/a/default/a/v1", "shop/server/a/default/a/v2"
# {chart: (the chart of one endpoint, its line there)}
CHARTS = {
    "requests": ("requests", "requests"), "failures": ("answers", "5xx"), "p50": ("latency", "p50"),
    "p95": ("latency", "p95"), "p99": ("latency", "p99"), "errors": ("errors", "error rate"),
    "concept": ("concept", "statistic"), "data": ("data", "statistic"),
}  # fmt: skip


def lines(charts, chart):
    return {line["label"]: line["values"] for line in charts[chart]["lines"]}


def test_the_charts_are_those_of_each_endpoint_on_one_axis(eventful):
    client = eventful.client()
    both = client.get(f"/compare.json?a={LIVE}&b={SHADOW}").json()["charts"]
    assert set(both) == set(CHARTS)
    for side, name in (("a", LIVE), ("b", SHADOW)):
        alone = client.get(f"/endpoint.json?name={name}").json()["charts"]
        for chart, (of, line) in CHARTS.items():
            assert lines(both, chart)[side] == lines(alone, of)[line], chart
            assert any(value is not None for value in lines(both, chart)[side]), chart
