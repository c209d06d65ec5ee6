"""From a deploy to the end of a function: what both engines promise."""

import os
import signal
import socket
import threading

import pytest

pytestmark = pytest.mark.slow

SHORT = {"http": {"kind": "http", "workerTerminationTimeout": "100ms"}}
VERSION = """
import os, time
def handler(context, event):
    time.sleep(float(os.environ.get("TAKES_S", "0")))
    return os.environ["VERSION"]
"""
INSIDE = """
import asyncio, os, time
def handler(context, event):
    until = time.monotonic() + 30
    open(os.path.join(os.environ["PLACE"], str(os.getpid())), "w").close()
    while len(os.listdir(os.environ["PLACE"])) < int(event.body) and time.monotonic() < until:
        time.sleep(0.01)
    return str(len(os.listdir(os.environ["PLACE"])))
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def other(context, event): pass\n", "module 'main' has no 'handler'"),
        ("def handler(:\n", "SyntaxError"),
        (
            "def init_context(context):\n    open('/gone/model.pkl')\ndef handler(context, event): pass\n",
            "init_context raised: FileNotFoundError: [Errno 2] No such file or directory: '/gone/model.pkl' (main.py",
        ),
        ("raise SystemExit(7)\n", "SystemExit: 7"),
    ],
)
def test_a_function_that_cannot_start_says_why(shared_laptop, code, said):
    status = shared_laptop.deploy("broken", code, triggers=SHORT)
    assert status["state"] == "error"
    assert said in status["message"]


def test_a_port_in_use_is_named(laptop):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        trigger = {"http": {**SHORT["http"], "attributes": {"port": port}}}
        status = laptop.deploy("busy", VERSION, env={"VERSION": "1"}, triggers=trigger)
    assert status["state"] == "error"
    assert f"port {port} of trigger 'http' cannot be used" in status["message"]
    assert laptop.deploy("busy", VERSION, env={"VERSION": "1"}, triggers=trigger)["httpPort"] == port


def test_a_new_version_takes_the_port_over_and_one_that_cannot_start_changes_nothing(laptop):
    first = laptop.deploy("live", VERSION, env={"VERSION": "1"}, triggers=SHORT)
    assert laptop.call("live").body == b"1"
    failed = laptop.deploy("live", "import nowhere_to_be_found\n", triggers=SHORT)
    assert failed["state"] == "error"
    assert "the workers of the version before keep serving" in failed["message"]
    assert laptop.call("live").body == b"1"
    second = laptop.deploy("live", VERSION, env={"VERSION": "2"}, triggers=SHORT)
    assert (second["state"], second["httpPort"]) == ("ready", first["httpPort"])
    assert laptop.call("live").body == b"2"
    pids = [worker["pid"] for worker in second["workers"]]
    assert [
        worker["pid"] for worker in laptop.deploy("live", VERSION, env={"VERSION": "2"}, triggers=SHORT)["workers"]
    ] == pids


def test_the_environment_is_the_functions_own(make_laptop, monkeypatch):
    monkeypatch.setenv("LEEWAY_WINDOW_ROWS", "77")
    monkeypatch.setenv("TMPDIR", "/tmp")
    laptop = make_laptop("home")
    code = "import json, os\ndef handler(context, event):\n    return json.dumps(dict(os.environ))\n"
    laptop.deploy("tests-env", code, env={"GIVEN": "1", "OMP_NUM_THREADS": "2"}, triggers=SHORT)
    env = laptop.call("tests-env").json
    assert (env["GIVEN"], env["OMP_NUM_THREADS"], env["TMPDIR"]) == ("1", "2", "/tmp")
    assert (env["LEEWAY_HOME"], env["MLRUN_DEFAULT_PROJECT"]) == (str(laptop.home), "tests")
    assert env["NUCLIO_FUNCTION_NAME"] == "tests-env"
    assert "LEEWAY_WINDOW_ROWS" not in env


def test_workers_of_a_trigger_serve_at_the_same_time_and_one_worker_serves_one_at_a_time(laptop, send, tmp_path):
    place = tmp_path / "inside"
    place.mkdir()
    triggers = {"http": {**SHORT["http"], "numWorkers": 3}}
    address = laptop.deploy("wide", INSIDE, env={"PLACE": str(place)}, triggers=triggers)["externalInvocationUrls"][0]
    seen = []
    # More clients than workers: an own worker takes what it accepts first, the processor's go to whoever is free.
    clients = [threading.Thread(target=lambda: seen.append(send(address, "POST", "/", b"3").body)) for _ in range(9)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert seen == [b"3"] * 9, "three processes were inside at once, and never a fourth"


def test_a_function_calls_another_through_the_platform(laptop):
    callee = "def handler(context, event):\n    return {'got': event.body, 'path': event.path}\n"
    laptop.deploy("callee", callee, triggers=SHORT)
    caller = """
import nuclio_sdk
def handler(context, event):
    answer = context.platform.call_function("callee", nuclio_sdk.Event(body={"a": 1}, method="POST", path="/deep"))
    return context.Response(body=repr(answer.body), status_code=answer.status_code)
"""
    laptop.deploy("caller", caller, triggers=SHORT)
    assert laptop.call("caller").body == b"{'got': {'a': 1}, 'path': '/deep'}"


def test_code_in_a_folder_is_run_where_it_lies(laptop, tmp_path):
    (tmp_path / "helper.py").write_text("WORD = 'from the folder'\n")
    (tmp_path / "entry.py").write_text("import helper\ndef answer(context, event):\n    return helper.WORD\n")
    build = {"functionSourceCode": "", "path": str(tmp_path)}
    assert laptop.deploy("folder", "", build=build, handler="entry:answer", triggers=SHORT)["state"] == "ready"
    assert laptop.call("folder").body == b"from the folder"


def test_what_dies_is_started_again_on_its_port_and_a_new_platform_adopts_what_lives(laptop):
    status = laptop.deploy("live", VERSION, env={"VERSION": "1"}, triggers=SHORT)
    pid = status["workers"][0]["pid"]
    laptop.kill_platform()
    laptop.until(lambda: laptop.status("live")["workers"], "adoption")
    assert laptop.status("live")["workers"][0]["pid"] == pid
    assert laptop.call("live").body == b"1"
    os.kill(pid, signal.SIGKILL)
    worker = laptop.until(
        lambda: [w for w in laptop.status("live")["workers"] if w["serving"] and w["pid"] != pid], "a new one"
    )[0]
    assert worker["restarts"] == 1
    assert (laptop.call("live").body, laptop.status("live")["httpPort"]) == (b"1", status["httpPort"])


def test_at_its_end_what_is_under_way_is_answered_and_each_worker_runs_its_termination_callback(laptop, send, tmp_path):
    code = """
import os, time
def init_context(context):
    context.platform.set_termination_callback(lambda: open(os.environ["MARK"], "a").write("ended\\n"))
def handler(context, event):
    open(os.environ["MARK"], "a").write("inside\\n")
    time.sleep(1)
    return "whole"
"""
    mark = tmp_path / "mark"
    triggers = {"http": {**SHORT["http"], "numWorkers": 2, "workerTerminationTimeout": "2s"}}
    address = laptop.deploy("live", code, env={"MARK": str(mark)}, triggers=triggers)["externalInvocationUrls"][0]
    answers = []
    client = threading.Thread(target=lambda: answers.append(send(address, "GET", "/")))
    client.start()
    laptop.until(lambda: mark.exists() and "inside" in mark.read_text(), "a request inside")
    assert laptop.api("DELETE", "functions", {"metadata": {"name": "live"}}).status == 204
    client.join()
    assert (answers[0].status, answers[0].body) == (200, b"whole")
    assert mark.read_text().splitlines() == ["inside", "ended", "ended"]
    assert len(laptop.processes()) == 1, "the platform's own"


def test_what_a_handler_logs_and_prints_is_in_the_log_of_the_function(laptop):
    code = """
def handler(context, event):
    context.logger.info_with("told", a=1)
    print("printed")
"""
    laptop.deploy("talks", code, triggers=SHORT)
    laptop.call("talks")
    laptop.until(lambda: "told" in laptop.log("talks") and "printed" in laptop.log("talks"), "both lines")
    names = laptop.api("GET", "functions/talks/replicas").json["names"]
    logs = [laptop.api("GET", f"functions/talks/logs/{name}").body.decode() for name in names]
    assert any("told" in log for log in logs)
