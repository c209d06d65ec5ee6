"""The page of an endpoint: its charts and marks, and what is out of order in its last window."""

import re

import pytest

from leeway.record import Response

LIVE, SHADOW = "shop/server/a/default/a/v1", "shop/server/a/default/a/v2"


def charts_of(client, name=LIVE):
    return client.get(f"/endpoint.json?name={name}").json()["charts"]


def test_status_codes_are_told_apart(eventful):
    chart = charts_of(eventful.client())["answers"]
    lines = {line["label"]: line["values"] for line in chart["lines"]}
    assert set(lines) == {"2xx", "5xx"}
    step = chart["step"]
    assert round(sum(lines["2xx"]) * step) == 1_200 and round(sum(lines["5xx"]) * step) == 10


def test_deploys_and_changes_of_traffic_are_marks(eventful):
    maker = eventful.maker
    told = {"do": "traffic", "weights": {"main": 60, "canary": 40}, "version": 2, "who": "anna", "note": "try it"}
    maker.append(maker.record("decision", "a", decision=told))
    eventful.take()
    client = eventful.client()
    for chart in charts_of(client).values():
        assert {text for _, text in chart["marks"]} == {"v1 answers", "v2 answers", "traffic: main 60 %, canary 40 %"}
    assert "traffic: main 60 %, canary 40 %" in client.get(f"/endpoint?name={LIVE}").text


def test_incidents_are_bands_of_their_charts(eventful, queries):
    charts = charts_of(eventful.client())
    opened = {each.detector: each.opened.appended for each in queries.incidents(LIVE)}
    for chart, kinds in (("errors", ["concept_drift"]), ("concept", ["concept_drift"]), ("data", ["data_drift"]),
                         ("requests", ["concept_drift", "data_drift"])):  # fmt: skip
        assert sorted(begin for begin, _, _ in charts[chart]["bands"]) == sorted(opened[kind] for kind in kinds)


def test_the_reference_is_a_band_around_the_error_rate(eventful):
    chart = charts_of(eventful.client())["errors"]
    rate, low, high = (line["values"] for line in chart["lines"])
    assert chart["between"] == [2, 3]
    known = [i for i, value in enumerate(rate) if value is not None]
    assert known and all(0 <= low[i] < 0.1 < high[i] <= 1 for i in known)


@pytest.fixture
def disordered(world):
    """A window in which the price is always the same, demand is far away, every fifth region is missing, and answers
    are 7 now and then, or nothing."""
    maker, draw = world.maker, world.maker.random
    for i in range(200):
        row = [0.5, draw.random() + 4, None if i % 5 == 0 else 0.2 + 0.6 * draw.random()]
        said = [None if i % 10 == 0 else 7 if i % 4 == 0 else i % 2]
        maker.predict("a", f"r{i}", [row], resp=Response(id=f"r{i}", model_name="a", outputs=said))
    world.take()
    return world


def test_each_feature_says_what_is_out_of_order(disordered):
    page = disordered.client().get(f"/endpoint?name={LIVE}").text
    articles = re.findall(r"<article.*?</article>", page, re.DOTALL)
    said = {re.search(r"<h3>(\w+)</h3>", each)[1]: "".join(re.findall(r'"notes">(.*?)<', each)) for each in articles}
    assert said["region"] == "missing 20.0% (reference 0.0%)"
    assert said["demand"] == "out of range 100.0%"
    assert said["price"] == "constant"
    assert said["prediction"] == "missing 10.0% (reference 0.0%); unseen categories 22.2%"


def test_features_stand_by_their_evidence(eventful):
    page = eventful.client().get(f"/endpoint?name={LIVE}").text
    names = re.findall(r'<article class="feature( moved)?">\s*<h3>(\w+)</h3>', page)
    assert names[0] == (" moved", "demand") and {name for _, name in names} == {
        "price",
        "demand",
        "region",
        "prediction",
    }
    assert [bool(moved) for moved, _ in names] == sorted((bool(moved) for moved, _ in names), reverse=True)
