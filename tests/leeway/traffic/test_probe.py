import pytest

from leeway.traffic.client import Client
from leeway.traffic.probe import Probe, outputs_of


def answers(path, body):
    return 200, {"outputs": [row[0] for row in body["instances"]]}


def run(server, rows, labels=None, batch_sizes=(1,), **options):
    with Client(server.url) as client:
        return Probe(client, "m", **options).run(rows, labels, batch_sizes)


def test_each_row_is_sent_once_for_each_batch_size_and_marked_as_a_test(serve):
    server = serve(answers)
    report = run(server, [[1], [2], [3]], [1, 2, 3], batch_sizes=(1, 2))
    assert [body["instances"] for _, body in server.requests] == [[[1]], [[2]], [[3]], [[1], [2]], [[3]]]
    assert {path for path, _ in server.requests} == {"/m/predict"}
    assert all(body["labels"] == {"purpose": "test"} for _, body in server.requests)
    assert (report.rows, report.matched, report.problems) == (6, 6, [])


def test_version_2_speaks_mlruns_v2_paths(serve):
    server = serve(lambda path, body: (200, {"outputs": body["inputs"]}))
    run(server, [["a"]], protocol="v2")
    assert server.requests[0][0] == "/v2/models/m/infer"


@pytest.mark.parametrize(
    ("status", "document", "problem"),
    [
        (400, {"error": "wrong width"}, "status 400: {'error': 'wrong width'}"),
        (200, {"outputs": [1]}, "1 outputs for 2 rows"),
        (200, {"answer": [1, 2]}, "no list of outputs"),
        (200, b"ok", "no list of outputs"),
        (200, {"outputs": [1, None]}, "output 1 of 2 is null"),
    ],
)
def test_a_wrong_answer_is_a_problem_and_matches_nothing(serve, status, document, problem):
    report = run(serve(lambda path, body: (status, document)), [[1], [2]], [1, 2], batch_sizes=(2,))
    assert len(report.problems) == 1 and problem in report.problems[0]
    assert report.matched == 0


def test_numbers_match_within_the_tolerance_only(serve):
    server = serve(lambda path, body: (200, {"outputs": [0.1 + 0.2, 1.04, 1.06]}))
    rows, labels = [[0], [0], [0]], [0.3, 1, 1]
    assert run(server, rows, labels, batch_sizes=(3,)).matched == 1
    assert run(server, rows, labels, batch_sizes=(3,), tolerance=0.05).matched == 2


def test_text_labels_are_compared_as_text(serve):
    server = serve(lambda path, body: (200, {"outputs": ["up", "1"]}))
    assert run(server, [[0], [0]], ["up", 1], batch_sizes=(2,)).matched == 1


def test_a_server_that_is_away_is_a_problem_of_each_request(serve):
    server = serve(answers)
    server.stop()
    with Client(server.url, patience_s=0) as client:
        report = Probe(client, "m").run([[1], [2]], None, (1,))
    assert [("is it running" in problem) for problem in report.problems] == [True, True]


def test_the_latency_table_has_a_line_per_batch_size_over_whole_durations(serve):
    table = run(serve(answers), [[i] for i in range(10)], batch_sizes=(1, 5)).latency
    assert table[["rows", "requests", "problems"]].values.tolist() == [[1, 10, 0], [5, 2, 0]]
    assert (table["min"] <= table["p50"]).all() and (table["p50"] <= table["p95"]).all()
    assert (table["p95"] <= table["p99"]).all() and (table["p99"] <= table["max"]).all()


def test_no_rows_are_refused_rather_than_passed():
    with Client("127.0.0.1:9") as client, pytest.raises(ValueError, match="no row to send"):
        Probe(client, "m").run([], None, (1,))


def test_an_unknown_protocol_is_refused():
    with Client("127.0.0.1:9") as client, pytest.raises(ValueError, match="v1, v2"):
        Probe(client, "m", protocol="grpc")


@pytest.mark.parametrize("body", [[1, 2], {"outputs": [1, 2]}, {"predictions": [1, 2]}])
def test_outputs_are_found_in_every_form_that_mlrun_answers(body):
    assert outputs_of(body) == [1, 2]
