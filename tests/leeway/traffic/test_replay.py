from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from leeway.traffic.client import Client
from leeway.traffic.replay import Replay, row_of

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0], "y": [0, 1, 0, 1, 0], "b": [5.0, 6.0, 7.0, 8.0, 9.0]})
REPLAY = Replay("m", "run", "y", 2, datetime(1996, 5, 7, tzinfo=UTC), timedelta(minutes=30))


def send(server, frame=FRAME, progress=lambda done, total: None):
    with Client(server.url) as client:
        return REPLAY.send(client, frame, progress)


def test_truth_comes_lag_rows_later_and_all_of_it_comes(serve):
    server = serve(lambda path, body: (200, {}))
    send(server)
    order = [(path.rpartition("/")[2], body["id"]) for path, body in server.requests]
    assert order == [
        ("predict", "run-00000"), ("predict", "run-00001"),
        ("predict", "run-00002"), ("feedback", "run-00000"),
        ("predict", "run-00003"), ("feedback", "run-00001"),
        ("predict", "run-00004"), ("feedback", "run-00002"),
        ("feedback", "run-00003"), ("feedback", "run-00004"),
    ]  # fmt: skip


def test_a_request_holds_the_features_without_the_label_and_the_time_of_its_row(serve):
    server = serve(lambda path, body: (200, {}))
    send(server)
    assert server.requests[1][1] == {
        "id": "run-00001", "event_time": "1996-05-07T00:30:00+00:00", "instances": [[1.0, 6.0]]
    }  # fmt: skip
    truths = [body["truth"] for path, body in server.requests if path == "/m/feedback"]
    assert truths == [[0], [1], [0], [1], [0]]


def test_what_was_refused_is_counted_by_status_and_not_as_answered(serve):
    server = serve(lambda path, body: (400 if body["id"] == "run-00003" else 200, {}))
    predictions, feedback = send(server)
    assert (predictions.sent, predictions.answered, dict(predictions.refused)) == (5, 4, {"400": 1})
    assert (feedback.sent, feedback.answered) == (5, 4)


def test_a_request_that_was_sent_twice_counts_twice_as_sent(serve):
    answers = iter([(0, None)])
    server = serve(lambda path, body: next(answers, (200, {})))
    predictions, _ = send(server)
    assert (predictions.sent, predictions.answered) == (6, 5)


def test_progress_ends_at_the_number_of_rows(serve):
    told = []
    send(serve(lambda path, body: (200, {})), progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 5) and told[-1] == (5, 5)


@pytest.mark.parametrize(
    ("request_id", "row"),
    [("elec-3f2a1b-00042", 42), ("elec-45311", 45311), ("x", None), ("01890a5d-ac96-774b-bcce-b302099a8057", None)],
)
def test_rows_are_read_from_the_ids_of_a_replay_only(request_id, row):
    assert row_of(request_id) == row
