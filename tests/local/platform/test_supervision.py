"""Processes die; what is served goes on."""

import http.client
import os
import signal
import threading

import psutil
import pytest

from leeway.local import platform

pytestmark = pytest.mark.slow

PLAIN = """
import os
def handler(context, event):
    return str(os.getpid())
"""


def test_a_killed_worker_is_started_again_on_its_port(laptop):
    status = laptop.deploy("plain", PLAIN)
    pid = status["workers"][0]["pid"]
    os.kill(pid, signal.SIGKILL)
    assert int(laptop.call("plain").body) != pid, "the connection waits for the new worker"
    worker = laptop.until(lambda: [w for w in laptop.status("plain")["workers"] if w["serving"]], "a new worker")[0]
    assert worker["restarts"] == 1
    assert "ended by SIGKILL" in worker["reason"]
    assert laptop.status("plain")["state"] == "ready"


def test_a_worker_that_keeps_dying_makes_its_function_unhealthy_with_the_reason(laptop):
    code = """
import os, threading
def init_context(context):
    if os.path.exists(os.environ["POISON"]):
        raise ValueError("poisoned")
def handler(context, event):
    os._exit(3)
"""
    poison = laptop.home / "poison"
    laptop.deploy("fragile", code, env={"POISON": str(poison)})
    poison.write_text("")
    with pytest.raises((OSError, http.client.HTTPException)):
        laptop.call("fragile")
    status = laptop.until(
        lambda: (status := laptop.status("fragile"))["state"] == "unhealthy" and status, "state unhealthy"
    )
    assert "keeps dying: init_context raised: ValueError: poisoned" in status["message"]
    poison.unlink()
    healed = laptop.until(lambda: (s := laptop.status("fragile"))["workers"][0]["serving"] and s, "a worker that lives")
    assert healed["state"] in ("unhealthy", "ready"), "ready when it has lived for a while"


def test_a_killed_platform_is_followed_by_one_that_adopts_its_workers(laptop):
    deployed = laptop.deploy("plain", PLAIN, triggers={"http": {"kind": "http", "numWorkers": 2}})
    address = deployed["externalInvocationUrls"][0]
    pids = {worker["pid"] for worker in deployed["workers"]}
    failed, stop = [], threading.Event()

    def client() -> None:
        connection = http.client.HTTPConnection(address, timeout=60)
        while not stop.is_set():
            try:
                connection.request("GET", "/")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException) as exc:
                failed.append(repr(exc))
                connection.close()
        connection.close()

    thread = threading.Thread(target=client)
    thread.start()
    for _ in range(3):
        laptop.kill_platform()
        status = laptop.until(
            lambda: (s := laptop.status("plain")) and all(w["serving"] for w in s["workers"]) and s, "adoption"
        )
        assert {worker["pid"] for worker in status["workers"]} == pids
    assert laptop.deploy("plain", PLAIN, env={"NEW": "1"})["state"] == "ready", "on the socket of an adopted worker"
    stop.set()
    thread.join()
    assert failed == []
    assert laptop.status("plain")["httpPort"] == deployed["httpPort"]


def test_an_adopted_worker_that_dies_is_started_again(laptop):
    pid = laptop.deploy("plain", PLAIN)["workers"][0]["pid"]
    laptop.kill_platform()
    laptop.until(lambda: laptop.status("plain")["workers"], "adoption")
    os.kill(pid, signal.SIGKILL)
    assert int(laptop.call("plain").body) != pid


def test_a_worker_that_does_not_answer_the_new_platform_is_replaced(laptop):
    pid = laptop.deploy("plain", PLAIN)["workers"][0]["pid"]
    laptop.kill_platform()
    os.kill(pid, signal.SIGSTOP)
    assert int(laptop.call("plain").body) != pid
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_sockets_of_dead_workers_do_not_pile_up(laptop):
    pid = laptop.deploy("plain", PLAIN)["workers"][0]["pid"]
    laptop.kill_platform()
    os.kill(pid, signal.SIGKILL)
    laptop.until(lambda: not laptop.processes(), "their end")
    laptop.until(lambda: [w for w in laptop.status("plain")["workers"] if w["serving"]], "a new worker")
    assert len(list((laptop.home / "run").iterdir())) == 1


def test_with_no_worker_left_the_remembered_port_is_bound_again(laptop):
    deployed = laptop.deploy("plain", PLAIN)
    laptop.kill_platform()
    os.kill(deployed["workers"][0]["pid"], signal.SIGKILL)
    laptop.until(lambda: not laptop.processes(), "their end")
    laptop.until(lambda: laptop.status("plain")["workers"], "resumption")
    assert laptop.status("plain")["httpPort"] == deployed["httpPort"]
    assert laptop.call("plain").status == 200


def test_a_worker_of_a_platform_that_died_before_the_hand_over_ends_by_itself(laptop):
    """A worker that never served has no owner: nobody else knows of it."""
    code = "import time\ndef init_context(context):\n    time.sleep(1.5)\ndef handler(context, event): return 'ok'\n"
    document = {
        "metadata": {"name": "slow"},
        "spec": {"handler": "main:handler", "build": {"functionSourceCode": _b64(code)}},
    }
    assert laptop.api("POST", "functions", document).status == 202
    laptop.until(lambda: len(laptop.processes()) == 2, "a worker that loads")
    orphan = [process for process in laptop.processes() if "leeway.local.worker" in process.cmdline()]
    laptop.kill_platform()
    psutil.wait_procs(orphan, timeout=60)
    assert [process for process in orphan if process.is_running()] == []
    laptop.until(lambda: laptop.status("slow")["state"] == "ready", "the deploy that was cut off, done again")


def test_a_process_with_a_reused_id_is_left_alone(laptop):
    """workers.json may be old: the id alone proves nothing."""
    laptop.deploy("plain", PLAIN)
    laptop.kill_platform()
    stranger = psutil.Popen(["sleep", "300"])
    try:
        path = laptop.home / "functions" / "plain" / "workers.json"
        from leeway.local.home import read_json, write_json

        records = read_json(path)
        write_json(path, [*records, {**records[0], "pid": stranger.pid}])
        platform.down(laptop.settings)
        assert stranger.is_running() and stranger.status() != psutil.STATUS_ZOMBIE
    finally:
        stranger.kill()
        stranger.wait()


def _b64(code: str) -> str:
    import base64

    return base64.b64encode(code.encode()).decode()
