"""One version follows another under clients that never retry."""

import http.client
import threading

import pytest

pytestmark = pytest.mark.slow

VERSION = """
import os, time
def handler(context, event):
    time.sleep(float(os.environ.get("TAKES_S", "0")))
    return os.environ["VERSION"]
"""


class Clients:
    """Keep-alive clients that send one request after the other, on one connection each, without a retry."""

    def __init__(self, address: str, count: int):
        self.seen: list[str] = []
        self.failed: list[str] = []
        self._address, self._end = address, threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        while not self._end.is_set():
            try:
                connection.request("POST", "/", b"{}", {"content-type": "application/json"})
                answer = connection.getresponse()
                body = answer.read().decode()
                (self.seen if answer.status == 200 else self.failed).append(body)
            except (OSError, http.client.HTTPException) as exc:
                self.failed.append(repr(exc))
                connection.close()
        connection.close()


@pytest.mark.parametrize(("workers", "takes_s"), [(1, "0"), (2, "0.02")])
def test_no_request_fails_while_versions_follow_each_other(laptop, workers, takes_s):
    triggers = {"http": {"kind": "http", "numWorkers": workers}}
    spec = {"triggers": triggers}
    status = laptop.deploy("live", VERSION, env={"VERSION": "0", "TAKES_S": takes_s}, **spec)
    with Clients(status["externalInvocationUrls"][0], 3) as clients:
        for version in range(1, 5):
            laptop.deploy("live", VERSION, env={"VERSION": str(version), "TAKES_S": takes_s}, **spec)
            laptop.until(lambda: clients.failed or str(version) in clients.seen, f"version {version}")  # noqa: B023
    assert clients.failed == []
    assert laptop.call("live").body == b"4"


def test_no_request_fails_while_workers_become_four_and_one_again(laptop):
    def scale(count):
        triggers = {"http": {"kind": "http", "numWorkers": count}}
        return laptop.deploy("live", VERSION, env={"VERSION": str(count)}, triggers=triggers)

    with Clients(scale(1)["externalInvocationUrls"][0], 3) as clients:
        for count in (4, 1):
            seen = len(clients.seen)
            assert len(scale(count)["workers"]) == count
            laptop.until(lambda: clients.failed or str(count) in clients.seen[seen:], f"{count} workers")  # noqa: B023
    assert clients.failed == []


def test_an_idle_connection_is_answered_once_more_by_the_old_version_and_told_to_close(laptop):
    address = laptop.deploy("live", VERSION, env={"VERSION": "old"})["externalInvocationUrls"][0]
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"old"
    old = laptop.processes()
    laptop.deploy("live", VERSION, env={"VERSION": "new"})
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.read(), answer.getheader("connection")) == (b"old", "close")
    assert laptop.call("live").body == b"new"
    laptop.until(lambda: sum(process.is_running() for process in old) == 1, "the end of the drained worker")


def test_a_failed_redeploy_leaves_the_old_version_serving_and_says_so(laptop):
    before = laptop.deploy("live", VERSION, env={"VERSION": "good"})
    after = laptop.deploy("live", "import nowhere_to_be_found\n")
    assert after["state"] == "error"
    assert "nowhere_to_be_found" in after["message"]
    assert "the workers of the version before keep serving" in after["message"]
    assert laptop.call("live").body == b"good"
    assert [worker["pid"] for worker in after["workers"]] == [worker["pid"] for worker in before["workers"]]
    assert laptop.deploy("live", VERSION, env={"VERSION": "better"})["state"] == "ready"
    assert laptop.call("live").body == b"better"


def test_of_two_new_workers_none_serves_when_one_cannot_start(laptop):
    code = """
import os
def init_context(context):
    if os.environ["VERSION"] == "half" and context.worker_id == "1":
        raise RuntimeError("only half of it")
def handler(context, event):
    return os.environ["VERSION"]
"""
    triggers = {"http": {"kind": "http", "numWorkers": 2}}
    laptop.deploy("live", code, env={"VERSION": "whole"}, triggers=triggers)
    status = laptop.deploy("live", code, env={"VERSION": "half"}, triggers=triggers)
    assert status["state"] == "error"
    assert {laptop.call("live").body for _ in range(20)} == {b"whole"}


def test_the_number_of_workers_follows_the_document(laptop):
    for count in (1, 3, 2):
        triggers = {"http": {"kind": "http", "maxWorkers": count}}
        status = laptop.deploy("live", VERSION, env={"VERSION": "0"}, triggers=triggers)
        assert len(status["workers"]) == count
    laptop.until(lambda: len(laptop.processes()) == 3, "two workers and the platform")


def test_a_worker_that_is_told_to_end_runs_its_termination_callback(laptop, tmp_path):
    code = """
import os
def init_context(context):
    context.platform.set_termination_callback(lambda: open(os.environ["MARK"], "a").write("ended"))
def handler(context, event):
    return "ok"
"""
    mark = tmp_path / "mark"
    laptop.deploy("live", code, env={"MARK": str(mark)})
    laptop.deploy("live", code, env={"MARK": str(mark), "OTHER": "1"})
    laptop.until(mark.exists, "the callback")
    assert mark.read_text() == "ended"


def test_a_request_under_way_is_answered_before_its_worker_ends(laptop, send):
    address = laptop.deploy("live", VERSION, env={"VERSION": "slow", "TAKES_S": "1"})["externalInvocationUrls"][0]
    answers = []
    client = threading.Thread(target=lambda: answers.append(send(address, "GET", "/")))
    client.start()
    laptop.deploy("live", VERSION, env={"VERSION": "next"})
    client.join()
    assert answers[0].body in (b"slow", b"next")
    assert answers[0].status == 200
