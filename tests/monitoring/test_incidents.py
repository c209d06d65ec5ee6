"""One incident at a time."""

import msgspec

from leeway.record import Position, RowReference
from monitoring.incidents import Incidents
from monitoring.verdicts import DETECTED, verdict, verdict_table, verdicts_of

ROW = RowReference(Position(0, 1), "id", 0)


def alarm(offset, *features, detector="data_drift", endpoint="e", **fields):
    return verdict(
        endpoint=endpoint, detector=detector, status=DETECTED, at=Position(0, offset), appended=1, rows=50, first=ROW,
        last=ROW, **{"statistic": 2.0, "threshold": 1.0, "features": list(features), **fields},
    )  # fmt: skip


def test_alarms_while_an_incident_is_open_join_it_in_order():
    incidents = Incidents()
    for found in (alarm(1, "price"), alarm(2, "demand", "price"), alarm(3, "price")):
        incidents.alarm(found)
    (incident,) = incidents.changes().values()
    assert incident.features == ["price", "demand"]
    assert incident.opened.at == Position(0, 1)
    incidents.alarm(alarm(4, "price"))
    assert incidents.changes() == {}


def test_endpoints_and_detectors_have_incidents_of_their_own():
    incidents = Incidents()
    for found in (alarm(1, "x"), alarm(1, endpoint="f"), alarm(1, detector="concept_drift")):
        incidents.alarm(found)
    assert len(incidents.changes()) == 3


def test_an_open_incident_is_remembered_and_a_closed_one_makes_room():
    incidents = Incidents()
    incidents.alarm(alarm(1, "x"))
    stored = {key: msgspec.json.encode(incident) for key, incident in incidents.changes().items()}
    restarted = Incidents()
    restarted.restore(stored)
    restarted.alarm(alarm(2, "x"))
    assert restarted.changes() == {}
    restarted.close(("e", "data_drift", ""), "dismissed", Position(0, 3))
    restarted.alarm(alarm(4, "x"))
    assert sorted(incident.state for incident in restarted.changes().values()) == ["dismissed", "open"]


def test_verdicts_survive_the_archive_even_where_numbers_are_not_finite():
    found = [alarm(1, "x", statistic=float("inf")), alarm(1, "y", details={"p": float("nan")}), alarm(2)]
    table = verdict_table(found)
    assert table["row"].to_pylist() == [0, 1, 0]
    restored = verdicts_of(table)
    assert [(each.id, each.features) for each in restored] == [(each.id, each.features) for each in found]
    assert restored[0].statistic > 1e300


def test_two_verdicts_of_one_record_have_ids_of_their_own():
    later = RowReference(Position(0, 1), "id", 1)
    ids = {alarm(1).id, alarm(2).id, alarm(1, endpoint="f").id, alarm(1, detector="concept_drift").id}
    assert len({*ids, msgspec.structs.replace(alarm(1), last=later).id}) == 4
    assert alarm(1).id == alarm(1).id
