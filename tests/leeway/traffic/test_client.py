import threading

import pytest

from leeway.errors import LeewayError
from leeway.traffic.client import Client, NoAnswer


def test_all_requests_share_one_connection(serve):
    server = serve(lambda path, body: (200, body))
    with Client(server.url) as client:
        assert [client.post("/echo", {"n": n}).body for n in range(20)] == [{"n": n} for n in range(20)]
    assert server.connections == 1


def test_a_worker_that_dies_before_it_answers_is_asked_again(serve):
    answers = iter([(200, "first"), (0, None), (200, "second")])
    server = serve(lambda path, body: next(answers))
    with Client(server.url) as client:
        client.post("/m", {})
        answer = client.post("/m", {"id": "x"})
    assert (answer.status, answer.body, answer.attempts) == (200, "second", 2)
    assert server.requests[1:] == [("/m", {"id": "x"})] * 2


def test_latency_spans_whole_seconds_not_only_their_microseconds(serve):
    server = serve(lambda path, body: (200, {}))
    with Client(server.url, clock_ns=iter([0, 1_202_000_000]).__next__) as client:
        assert client.post("/slow", {}).latency_us == 1_202_000


def test_an_answer_that_is_too_late_is_not_asked_for_again(serve):
    release = threading.Event()
    server = serve(lambda path, body: (200, release.wait(10)))
    with Client(server.url, timeout_s=0.1) as client, pytest.raises(NoAnswer, match=r"no answer within 0\.1 s"):
        client.post("/slow", {})
    release.set()
    assert len(server.requests) == 1


def test_a_server_that_is_away_is_named_with_its_address():
    with (
        Client("127.0.0.1:9", patience_s=0) as client,
        pytest.raises(NoAnswer, match=r"127\.0\.0\.1:9/m: .*is it running"),
    ):
        client.post("/m", {})


def test_an_answer_that_is_no_json_is_kept_as_it_came(serve):
    server = serve(lambda path, body: (502, b"<html>bad gateway</html>"))
    with Client(server.url) as client:
        answer = client.post("/m", {})
    assert (answer.is_ok, answer.body) == (False, b"<html>bad gateway</html>")


@pytest.mark.parametrize("url", ["ftp://host/x", "http://", "://"])
def test_an_address_that_is_none_says_what_was_expected(url):
    with pytest.raises(LeewayError, match="host:port"):
        Client(url)
