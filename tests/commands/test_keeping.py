"""Incidents, dead letters and erasing from the command line, on what a consumer left in the home."""

import json

import pytest

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.record import (
    DECISION,
    FEEDBACK,
    INFER,
    TOO_LARGE,
    Origin,
    Position,
    Record,
    Request,
    Response,
    RowReference,
    encode,
)
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.label_pieces import PREFIX, _decoded
from monitoring.late_truth import late_truth
from monitoring.pages.requests import answers
from monitoring.pages.source import Source
from monitoring.queries import Queries
from monitoring.verdicts import DETECTED, verdict

KEY, ENDPOINT, STREAM = "shop/server/elec", "shop/server/elec/default/elec/v1", "users/admin/elec"


class Place:
    """A stream, and a consumer that takes what is new in it."""

    def __init__(self, home, deployment="elec"):
        self.settings, self.deployment = Settings(home=home), deployment
        self.stream = connect.stream(STREAM, self.settings)
        self.seq = 0

    def append(self, op, id="r1", **fields):
        self.seq += 1
        record = Record(
            schema=1, id=id, op=op, when="", project="shop", function_uri="shop/server",
            deployment=self.deployment, origin=Origin(f"outbox-{self.deployment}", self.seq), **fields,
        )  # fmt: skip
        self.stream.append([(record.stream_key, encode(record))])

    def predict(self, id):
        self.append(
            INFER, id, endpoint_id=ENDPOINT, request=Request(inputs=[[1.0]]), resp=Response(outputs=[1]), features=["x"]
        )

    def consume(self, alarm=False):
        name = "consumer/drift/s/0"
        state, shared, series = (
            connect.state(self.settings, name),
            connect.state(self.settings, "shared"),
            connect.series(self.settings),
        )
        archive = connect.archive(self.settings)
        made = (STREAM, 0, self.settings, state, shared, series, archive, SystemClock(), lambda incident: None, name)
        consumer = Consumer(*made)
        if alarm:
            consumer._pipeline._incidents.alarm(alarm_of(self.seq))
        consumer.consume(self.stream.read(0, consumer.position, 1_000))
        for store in (state, shared, series):
            store.close()

    def labels(self):
        """What is remembered for truth that comes later, as text."""
        state = connect.state(self.settings, "consumer/drift/s/0")
        found = [repr(_decoded(value)).encode() for value in state.scan(PREFIX).values()]
        state.close()
        return found

    def records(self):
        return [json.loads(message.value) for message in self.stream.read(0, 0, 1_000)]


def alarm_of(offset):
    row = RowReference(Position(0, offset), "r1", 0)
    return verdict(
        endpoint=ENDPOINT, detector="data_drift", status=DETECTED, at=row.position, appended=1_700_000_000, rows=50,
        first=row, last=row, statistic=9.0, threshold=2.0, features=["x"], details={},
    )  # fmt: skip


@pytest.fixture
def place(home):
    place = Place(home)
    yield place
    place.stream.close()


def test_an_incident_is_listed_shown_and_dismissed_through_the_stream(place, leeway, ok):
    place.predict("r1")
    place.consume(alarm=True)
    (about,) = ok(leeway("incidents", "list", "--json"))
    assert (about["state"], about["features"], about["endpoint"]) == ("open", ["x"], ENDPOINT)
    assert "statistic 9, threshold 2, over 50 rows" in leeway("incidents", "show", about["id"][:6]).stdout
    found = ok(leeway("incidents", "dismiss", about["id"], "--note", "a holiday", "--json"))
    assert (found["stream"], found["sent"]) == (STREAM, True)
    assert [record["op"] for record in place.records()] == [INFER, DECISION, "outbox_end"]
    assert list((place.settings.home / "outbox").rglob("*.outbox")) == []
    place.consume()
    (about,) = ok(leeway("incidents", "list", "--all", "--json"))
    assert (about["state"], about["note"]) == ("dismissed", "a holiday")
    assert leeway("incidents", "list").stdout == "no incident is open\n"
    assert "is dismissed already" in leeway("incidents", "confirm", about["id"]).stderr
    assert "there is none such" in leeway("incidents", "show", "zz").stderr


def test_a_decision_waits_in_an_outbox_while_the_stream_is_away(place, leeway, monkeypatch):
    place.predict("r1")
    place.consume(alarm=True)
    monkeypatch.setattr("leeway.own_outbox._PATIENCE_S", 0.3)
    monkeypatch.setattr("leeway.backends.sqlite_stream.SqliteStream.append", lambda self, entries: 0)
    result = leeway("incidents", "confirm", alarm_of(1).id)
    assert result.exit_code == 0, result.output
    assert "waits for stream" in result.stdout
    assert len(list((place.settings.home / "outbox" / "shop" / "server").glob("*.outbox"))) == 1


def test_dead_letters_are_put_back_after_a_fix(place, leeway, ok, tmp_path):
    place.stream.append([(KEY, b"{cut off")])
    place.append("judge", "r9")
    place.append(FEEDBACK, "f1", request=Request(id="r1", truth=[1], rows=[0, 1]))
    place.consume()
    found = ok(leeway("dead-letters", "list", "--json"))
    assert [about["position"] for about in found] == ["0-0-0", "0-1-0", "0-2-0"]
    assert "op 'judge' is not known" in leeway("dead-letters", "list").stdout
    file = tmp_path / "letters.jsonl"
    assert ok(leeway("dead-letters", "export", file, "--json"))["letters"] == 3
    cut, _, told = map(json.loads, file.read_text().splitlines())
    told["record"]["request"]["rows"] = [0]
    file.write_text("\n".join(map(json.dumps, [cut, told])))
    found = ok(leeway("dead-letters", "put-back", file, "--json"))
    assert found["put_back"] == 1
    assert "no JSON object" in found["left"][f"{STREAM} 0-0-0"]
    place.predict("r1")
    place.consume()
    assert [about["position"] for about in ok(leeway("dead-letters", "list", "--json"))] == ["0-0-0", "0-1-0"]
    archive = connect.archive(place.settings)
    assert archive.read("feedback")["status"].to_pylist() == ["pending"]
    again = leeway("dead-letters", "put-back")
    assert "1 dead letters were put back" in again.stdout
    place.consume()
    assert [about["reason"][:7] for about in ok(leeway("dead-letters", "list", "--json"))] == ["no JSON", "op 'jud"]


def test_what_was_too_large_for_its_stream_is_shown_and_cannot_be_put_back(place, leeway, ok):
    place.append(TOO_LARGE, "r7", error="a message of 3,000,000 bytes is too large")
    place.consume()
    assert "3,000,000 bytes" in leeway("dead-letters", "list").stdout
    found = ok(leeway("dead-letters", "put-back", "--json"))
    assert found == {"put_back": 0, "left": {f"{STREAM} 0-0-0": "it is a note of a record that was never kept"}}


def test_an_orphan_is_put_back_as_the_feedback_that_it_was(place, leeway, ok):
    from leeway.commands.dead_letters import _again

    about = {"key": KEY, "record": {"id": "r1", "rows": [0], "truth": ["up"]}}
    record = json.loads(_again(about, Origin("o", 7)))
    assert record["op"] == FEEDBACK
    assert record["request"] == {"id": "r1", "rows": [0], "truth": ["up"]}


def test_what_comes_again_under_an_erased_id_is_read_by_nobody(place, leeway, ok):
    other = Place(place.settings.home, deployment="other")
    other.predict("r1")
    for id in ("r1", "r2"):
        place.predict(id)
    place.consume()
    assert ok(leeway("erase", "elec", "r1", "--json"))["erased"] == {"prediction": 1}
    place.predict("r1")
    place.append(FEEDBACK, "f1", request=Request(id="r1", truth=[1]))
    place.append(FEEDBACK, "f2", request=Request(id="r2", truth=[1]))
    place.append("judge", "r1")
    place.consume()
    held = connect.archive(place.settings)
    assert held.read("prediction", KEY)["id"].to_pylist() == ["r2", "r1"]
    with Queries(place.settings) as queries:
        assert queries.archive.read("prediction", KEY)["id"].to_pylist() == ["r2"]
        assert queries.archive.read("prediction", KEY, ["output"]).to_pydict() == {"output": [1]}
        assert queries.archive.read("prediction")["id"].to_pylist() == ["r1", "r2"]
        assert queries.archive.read("feedback")["request_id"].to_pylist() == ["r2"]
        assert queries.rows(Position(0, 0), Position(0, 100))["id"].to_pylist() == ["r1", "r2"]
        assert queries.dead_letters() == []
        assert late_truth(queries.archive, KEY).num_rows == 0
        source = Source(place.settings, SystemClock())
        assert [each["record"]["deployment"] for each in answers(source, "r1")] == ["other"]
        source.close()
    assert ok(leeway("replay", "elec", "--json"))["rows"] == 1
    other.stream.close()


def test_ids_are_erased_from_the_archive(place, leeway, ok):
    for id in ("r1", "r2"):
        place.predict(id)
    place.append("judge", "r1")
    place.append("judge", "r11")
    place.consume()
    found = ok(leeway("erase", "elec", "r1", "--json"))
    assert (found["erased"], found["labels"], found["dead_letters"]) == ({"prediction": 1}, 1, 1)
    archive = connect.archive(place.settings)
    assert archive.read("prediction")["id"].to_pylist() == ["r2"]
    assert len(ok(leeway("dead-letters", "list", "--json"))) == 1
    assert not any(b"r1" in value for value in place.labels())
    nothing = leeway("erase", "elec", "r1").stdout
    assert nothing.startswith("nothing was found\nthe stream and the outboxes hold")
    place.append(FEEDBACK, "f1", request=Request(id="r1", truth=[1]))
    place.append(FEEDBACK, "f2", request=Request(id="r2", truth=[1]))
    place.consume()
    assert dict(zip(*archive.read("feedback", columns=["request_id", "status"]).to_pydict().values())) == {
        "r1": "pending",
        "r2": "joined",
    }
    assert "name one as project/function/deployment" in leeway("erase", "nothing", "r1").stderr
