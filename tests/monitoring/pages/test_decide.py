"""A decision that was made on a page is in the stream, and the consumer finds it there."""

import json

import pytest

from leeway.backends import connect
from leeway.errors import LeewayError
from monitoring.decide import CONFIRM, decide
from monitoring.pages.decisions import decisions
from monitoring.pages.span import day_of

LIVE = "shop/server/a/default/a/v1"


def test_it_is_consumed_archived_and_shown(eventful, queries):
    incident = queries.incidents(LIVE)[0]
    assert decide(eventful.settings, incident.id, CONFIRM, "so it is").sent
    stream = connect.stream("s", eventful.settings)
    consumer = eventful.reader.consumer()
    before = queries.counts()
    consumer.consume(stream.read(0, consumer.position, 100))
    stream.close()
    assert queries.counts()["decisions"] == before["decisions"] + 1
    assert queries.counts()["dead_lettered"] == before["dead_lettered"]
    (row,) = eventful.reader.archive.read("decision", "shop/server/a").to_pylist()
    assert json.loads(row["decision"]) == {"do": "confirm", "incident": incident.id, "note": "so it is"}
    (shown,) = decisions(eventful.source(), "shop/server/a", [day_of(row["appended"])])
    assert shown.text == f"confirm of incident {incident.id}"


def test_there_is_nothing_to_decide_about_what_is_not_there(eventful):
    with pytest.raises(LeewayError, match="no incident 'none': there is none such"):
        decide(eventful.settings, "none", CONFIRM, "")
