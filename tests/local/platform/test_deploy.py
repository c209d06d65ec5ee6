"""What a deploy says: ready, or why not, in words that help."""

import socket
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def laptop(shared_laptop):
    """One platform for all of them: these tests read what deploys say."""
    return shared_laptop


PLAIN = """
def handler(context, event):
    return "pid %d" % __import__("os").getpid()
"""


def test_a_function_without_triggers_answers_on_a_port_that_stays(laptop):
    first = laptop.deploy("plain", PLAIN)
    assert first["state"] == "ready"
    assert first["externalInvocationUrls"] == [f"127.0.0.1:{first['httpPort']}"]
    assert laptop.call("plain").body.startswith(b"pid ")
    again = laptop.deploy("plain", PLAIN, env={"CHANGED": "1"})
    assert again["httpPort"] == first["httpPort"]
    assert again["workers"][0]["pid"] != first["workers"][0]["pid"]


def test_deploying_the_same_again_keeps_the_workers(laptop):
    pids = [worker["pid"] for worker in laptop.deploy("plain", PLAIN)["workers"]]
    again = laptop.deploy("plain", PLAIN)
    assert again["state"] == "ready"
    assert [worker["pid"] for worker in again["workers"]] == pids


@pytest.mark.parametrize(
    ("code", "spec", "said"),
    [
        ("import nowhere_to_be_found\n", {}, "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def other(context, event): pass\n", {}, "module 'main' has no 'handler'"),
        ("def handler(:\n", {}, "SyntaxError"),
        (
            "def init_context(context):\n    open('/gone/model.pkl')\ndef handler(context, event): pass\n",
            {},
            "init_context raised: FileNotFoundError: [Errno 2] No such file or directory: '/gone/model.pkl' (main.py",
        ),
        ("raise SystemExit(7)\n", {}, "SystemExit: 7"),
        ("import os\nos._exit(9)\n", {}, "exited 9"),
        ("import os\nos.kill(os.getpid(), 9)\n", {}, "ended by SIGKILL"),
        (PLAIN, {"triggers": {"k": {"kind": "rabbit-mq"}}}, "of kind 'rabbit-mq', which the laptop cannot run"),
        (PLAIN, {"runtime": "golang"}, "runtime 'golang' cannot run on the laptop"),
        (PLAIN, {"build": {"commands": ["pip install nowhere>=2"]}}, "missing requirement nowhere>=2"),
        ("import time\ntime.sleep(60)\n", {"readinessTimeoutSeconds": 0.3}, "not ready after 0.3 s"),
    ],
)
def test_a_function_that_cannot_start_says_why(laptop, code, spec, said):
    status = laptop.deploy("broken", code, **spec)
    assert status["state"] == "error"
    assert said in status["message"]
    assert any(said in entry["message"] and entry["level"] == "error" for entry in status["logs"])
    assert all(set(entry) == {"time", "level", "message", "name"} for entry in status["logs"])


def test_the_worker_log_of_a_failed_start_has_the_traceback_and_so_has_the_status(laptop):
    status = laptop.deploy("broken", "import nowhere_to_be_found\n")
    assert "Traceback (most recent call last)" in laptop.log("broken")
    assert any("Traceback" in entry["message"] for entry in status["logs"])
    assert "Traceback" in laptop.api("GET", "functions/broken/logs/default-http-0").body.decode()


def test_what_the_laptop_leaves_out_is_said(laptop):
    triggers = {"http": {"kind": "http", "attributes": {"cors": {"enabled": True}}}}
    build = {"commands": ["apt-get install x"]}
    status = laptop.deploy("much", PLAIN, triggers=triggers, build=build, eventTimeout="1s")
    assert status["state"] == "ready"
    warnings = [entry["message"] for entry in status["logs"] if entry["level"] == "warning"]
    assert warnings == [
        "build command 'apt-get install x' is not run on the laptop",
        "eventTimeout '1s' is not there on the laptop",
        "CORS (trigger 'http') is not there on the laptop",
    ]


def test_a_port_in_use_is_named(laptop):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        trigger = {"http": {"kind": "http", "attributes": {"port": port}}}
        status = laptop.deploy("busy", PLAIN, triggers=trigger)
    assert status["state"] == "error"
    assert f"port {port} of trigger 'http' cannot be used" in status["message"]
    assert laptop.deploy("busy", PLAIN, triggers=trigger)["httpPort"] == port


def test_the_environment_is_the_functions_own(make_laptop, monkeypatch):
    monkeypatch.setenv("MLRUN_DBPATH", "./")
    monkeypatch.setenv("LEEWAY_WINDOW_ROWS", "77")
    monkeypatch.setenv("SOME_CREDENTIAL", "kept")
    laptop = make_laptop("home")
    code = """
import json, os, sys
def handler(context, event):
    return json.dumps({"env": dict(os.environ), "modules": sorted(sys.modules), "flags": sys.flags.safe_path})
"""
    laptop.deploy("tests-env", code, env={"GIVEN": "1", "OMP_NUM_THREADS": "2"})
    said = laptop.call("tests-env").json
    env = said["env"]
    assert env["LEEWAY_HOME"] == str(laptop.home)
    assert env["NUCLIO_FUNCTION_NAME"] == "tests-env"
    assert env["MLRUN_DEFAULT_PROJECT"] == "tests"
    assert env["OMP_NUM_THREADS"] == "2"
    assert env["SOME_CREDENTIAL"] == "kept"
    assert not {"MLRUN_DBPATH", "LEEWAY_WINDOW_ROWS"} & set(env)
    assert not {"mlrun", "pandas", "numpy", "starlette"} & set(said["modules"]), "a worker is light"


def test_code_in_a_folder_and_in_a_file_is_run_where_it_lies(laptop, tmp_path):
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "helper.py").write_text("WORD = 'from the folder'\n")
    (folder / "entry.py").write_text("import helper\ndef answer(context, event):\n    return helper.WORD\n")
    build = {"functionSourceCode": "", "path": str(folder)}
    assert laptop.deploy("folder", "", build=build, handler="entry:answer")["state"] == "ready"
    assert laptop.call("folder").body == b"from the folder"
    build["path"] = str(folder / "entry.py")
    assert laptop.deploy("file", "", build=build, handler="entry:answer")["state"] == "ready"
    assert laptop.call("file").body == b"from the folder"


def test_changed_code_in_a_folder_is_a_change(laptop, tmp_path):
    (tmp_path / "main.py").write_text("def handler(context, event):\n    return 'one'\n")
    build = {"functionSourceCode": "", "path": str(tmp_path / "main.py")}
    laptop.deploy("file", "", build=build)
    (tmp_path / "main.py").write_text("def handler(context, event):\n    return 'two'\n")
    laptop.deploy("file", "", build=build)
    assert laptop.call("file").body == b"two"


def test_workers_of_a_trigger_are_processes_that_share_its_port(laptop):
    status = laptop.deploy("wide", PLAIN, triggers={"http": {"kind": "http", "maxWorkers": 3}})
    pids = {worker["pid"] for worker in status["workers"]}
    assert len(pids) == 3
    assert {f"pid {pid}".encode() for pid in pids} >= {laptop.call("wide").body for _ in range(10)}
    assert len(status["externalInvocationUrls"]) == 1


def test_a_function_calls_another_through_the_platform(laptop):
    laptop.deploy("callee", "def handler(context, event):\n    return {'got': event.body, 'path': event.path}\n")
    caller = """
import nuclio_sdk
def handler(context, event):
    answer = context.platform.call_function("callee", nuclio_sdk.Event(body={"a": 1}, method="POST", path="/deep"))
    return context.Response(body=repr(answer.body), status_code=answer.status_code)
"""
    laptop.deploy("caller", caller)
    assert laptop.call("caller").body == b"{'got': {'a': 1}, 'path': '/deep'}"
    failed = laptop.call("caller")  # the same worker goes on
    assert failed.status == 200


def test_the_interpreter_of_the_platform_runs_the_functions(laptop):
    laptop.deploy("which", "import sys\ndef handler(context, event):\n    return sys.executable\n")
    assert laptop.call("which").body.decode() == sys.executable
