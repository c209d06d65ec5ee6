"""The page of an incident, whichever detector opened it."""

import pytest

from monitoring.pages.incident import price_of

LIVE = "shop/server/a/default/a/v1"


@pytest.fixture
def sliced(make_world):
    """Where demand is low every other answer is wrong from row 800 on; DDM watches too."""
    world = make_world(slices="demand>0.5", slices_rows=100, detector_also="ddm")
    maker, draw = world.maker, world.maker.random
    for i in range(1_600):
        maker.appended += i % 20 == 0
        row = [draw.random() for _ in range(3)]
        wrong = draw.random() < (0.5 if i > 800 and row[1] < 0.5 else 0.1)
        maker.predict("a", f"r{i}", [row])
        maker.truth("a", f"r{i}", [int(row[0] > 0.5) ^ wrong])
    world.take()
    return world


def test_an_incident_of_a_slice_says_which_and_what_it_costs(sliced):
    incident = next(each for each in sliced.source().incidents() if each.detector == "concept_drift_slice")
    page = sliced.client().get(f"/incident?id={incident.id}").text
    assert "Concept drift slice: not demand&gt;0.5" in page
    assert "one false alarm per 2,000 labelled rows of the slice" in page and "windows alarm" not in page
    assert "labelled rows of the slice not demand&gt;0.5" in page and "Error rate of the endpoint" in page
    charts = sliced.client().get(f"/incident.json?id={incident.id}").json()["charts"]
    assert set(charts) == {"errors"} and charts["errors"]["bands"]


def test_a_detector_without_a_price_says_so(sliced):
    incident = next(each for each in sliced.source().incidents() if each.detector == "ddm")
    page = sliced.client().get(f"/incident?id={incident.id}").text
    assert "its limits are not priced" in page and "<dt>statistic</dt>" in page
    assert price_of(incident, 0.01).delay == ""


def test_incidents_of_every_detector_are_on_the_overview(sliced):
    incidents = [each for each in sliced.source().incidents() if each.state == "open"]
    page = sliced.client().get("/").text
    assert len(incidents) > 1 and {each.kind for each in incidents} == {"concept_drift"}
    assert f'href="incident?id={incidents[0].id}' in page and f"and {len(incidents) - 1} more" in page
    assert "endpoints need a look" in page or "endpoint needs a look" in page


def drifting(world, far_from):
    """1,000 rows, the truth of each 250 later; from row 300 on more of them are wrong. The concept incident."""
    maker, draw, truth = world.maker, world.maker.random, []
    for i in range(1_250):
        maker.appended += i % 20 == 0
        row = [draw.random(), draw.random() + (3 if i >= far_from else 0), draw.random()]
        truth.append(int(row[0] > 0.5) ^ (draw.random() < (0.6 if i >= 300 else 0.1)))
        if i < 1_000:
            maker.predict("a", f"r{i}", [row])
        if i >= 250:
            maker.truth("a", f"r{i - 250}", [truth[i - 250]])
    world.take()
    return next(each for each in world.source().incidents() if each.detector == "concept_drift")


def test_a_concept_incident_says_that_its_rows_moved_and_shows_them(world):
    incident = drifting(world, far_from=200)
    page = world.client().get(f"/incident?id={incident.id}").text
    assert "The rows moved too: demand." in page and "What moved, in the last window before it" in page
    assert "<h3>demand</h3>" in page and "<h3>price</h3>" not in page


def test_where_only_the_meaning_changed_it_says_so(world):
    incident = drifting(world, far_from=2_000)
    page = world.client().get(f"/incident?id={incident.id}").text
    assert "what they mean has changed" in page and "The rows moved too" not in page


def test_sorting_and_turning_keep_the_time(eventful, queries):
    incident = next(each for each in queries.incidents(LIVE) if each.detector == "data_drift")
    client, of = eventful.client(), f"id={incident.id}"
    page = client.get(f"/incident?{of}&range=24h").text
    assert f"?range=24h&amp;{of}&amp;sort=x_price&amp;order=desc#rows" in page
    assert f"?range=24h&amp;{of}&amp;sort=&amp;order=asc&amp;page=2#rows" in page
    assert "?range=" not in client.get(f"/incident?{of}").text.partition('<section id="rows">')[2]


def test_what_happened_just_before_is_told(eventful, queries):
    first, second = sorted(queries.incidents(LIVE), key=lambda each: each.opened.appended)[:2]
    page = eventful.client().get(f"/incident?id={second.id}").text
    assert "version v1 answered for the first time" in page
    assert f"{first.detector.replace('_', ' ')} alarm on {LIVE}" in page


@pytest.mark.parametrize("do", ["confirm", "dismiss"])
def test_what_was_decided_stands_and_is_not_asked_again(eventful, queries, do):
    incident = queries.incidents(LIVE)[0]
    maker = eventful.maker
    told = {"do": do, "incident": incident.id, "note": "the <mill> moved"}
    maker.append(maker.record("decision", "a", decision=told))
    eventful.take()
    page = eventful.client().get(f"/incident?id={incident.id}").text
    state = {"confirm": "confirmed", "dismiss": "dismissed"}[do]
    assert f"It was {state}, and that stands." in page and "Note: the &lt;mill&gt; moved" in page
    assert "<form" not in page
