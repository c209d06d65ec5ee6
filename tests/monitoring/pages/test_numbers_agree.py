"""What the pages say is what the stores and the summary of a run say."""

import pyarrow.compute as pc

from monitoring.pages.incident_rows import incident_rows
from monitoring.pages.plumbing import plumbing
from monitoring.pages.standing import standings
from monitoring.pages.system import places
from monitoring.reconciliation import Baseline, Reconciliation
from monitoring.summary import summary_of

LIVE, SHADOW = "shop/server/a/default/a/v1", "shop/server/a/default/a/v2"


def of_live(table):
    return table.filter(pc.equal(table["endpoint_id"], LIVE))


def test_the_overview_counts_what_the_archive_holds(eventful):
    found = {each.endpoint: each for each in standings(eventful.source(), eventful.span)}
    archived = of_live(eventful.reader.archive.read("prediction"))
    told = eventful.reader.archive.read("feedback")
    live = found[LIVE]
    assert live.requests == archived.num_rows == 1_210
    assert live.failures == archived["error"].drop_null().length() == 10
    assert live.labelled == told.filter(pc.equal(told["status"], "joined")).num_rows == 1_200
    assert live.rows == 1_210
    assert found[SHADOW].requests == 400
    assert live.label_lag_s == sum_of_lags(archived, told) / 1_200
    assert live.latency_ms[0] == round_trip(archived, 0.5, live.latency_ms[0])


def sum_of_lags(archived, told):
    appended = dict(zip(archived["id"].to_pylist(), archived["appended"].to_pylist()))
    return sum(when - appended[id] for id, when in zip(told["request_id"].to_pylist(), told["appended"].to_pylist()))


def round_trip(archived, q, shown):
    """The quantile as the rows have it; histograms are right within a bin, which is 9 % wide."""
    true = pc.quantile(archived["microsec"], q)[0].as_py() / 1e3
    assert abs(shown / true - 1) < 0.09
    return shown


def test_the_error_rate_is_that_of_the_joined_rows(eventful):
    live = next(each for each in standings(eventful.source(), eventful.span) if each.endpoint == LIVE)
    archived, told = of_live(eventful.reader.archive.read("prediction")), eventful.reader.archive.read("feedback")
    said = dict(zip(archived["id"].to_pylist(), archived["output"].to_pylist()))
    wrong = [said[id] != int(truth) for id, truth in zip(told["request_id"].to_pylist(), told["truth"].to_pylist())]
    assert live.error == sum(wrong) / len(wrong)
    assert live.error_interval[0] < live.error < live.error_interval[1]
    assert live.is_worse


def test_every_number_of_the_summary_is_on_a_page(eventful, queries):
    begin = Baseline("s", "shop/server/a", [0], {})
    found = Reconciliation.since(begin, eventful.settings, queries)
    alarms = queries.verdicts(LIVE)
    summary = summary_of({"sent": 1_210, "answered": 1_210}, 1_200, found, alarms, lambda id: 0)
    shown = plumbing(eventful.source())
    for kind, names in (("predictions", ("counted", "duplicate_id", "test", "rows")),
                        ("feedback", ("joined", "duplicate", "corrected", "orphan", "pending"))):  # fmt: skip
        assert {name: shown.counts[kind][name] for name in names} == {name: summary[kind][name] for name in names}
    assert (shown.dropped, shown.counts["lost"], shown.counts["dead_lettered"]) == (
        summary["dropped"], summary["lost"], summary["dead_lettered"],
    ) == (0, 0, 1)  # fmt: skip
    assert shown.waiting == 0
    page = eventful.client().get("/system").text
    for name in ("counted", "rows"):
        assert f'"row">{name}</th><td class="n">{summary["predictions"][name]:,}</td>' in page
    assert f'"row">joined</th><td class="n">{summary["feedback"]["joined"]:,}</td>' in page


def test_incidents_are_those_of_the_verdicts_that_alarmed(eventful, queries):
    first = {}
    for verdict in queries.verdicts(LIVE):
        if verdict.status == 2:
            first.setdefault(verdict.detector, verdict)
    live = next(each for each in standings(eventful.source(), eventful.span) if each.endpoint == LIVE)
    ids = {incident.id: incident.opened for incident in queries.incidents(LIVE)}
    for state, kind in ((live.concept, "concept_drift"), (live.data, "data_drift")):
        assert ids[state.incident] == first[kind] and state.since == first[kind].appended


def test_the_rows_of_an_incident_are_those_that_its_verdict_names(eventful, queries):
    for incident in queries.incidents(LIVE):
        opened = incident.opened
        rows = incident_rows(eventful.source(), incident, "shop/server/a")
        assert rows["id"][0].as_py() == opened.first.id and rows["id"][-1].as_py() == opened.last.id
        assert set(rows["endpoint_id"].to_pylist()) == {LIVE}
        if incident.detector == "concept_drift":
            said = zip(rows["output"].to_pylist(), rows["truth"].to_pylist())
            assert sum(output != int(truth) for output, truth in said if truth) >= opened.details["errors"]
        else:
            assert rows.filter(pc.is_null(rows["error"])).num_rows == opened.rows


def test_sizes_are_those_on_disk(eventful):
    found = {place.name: place for place in places(eventful.source())}
    archive = eventful.settings.home / "archive"
    assert found["archive"].bytes == sum(path.stat().st_size for path in archive.rglob("*.parquet"))
