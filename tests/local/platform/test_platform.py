"""One platform per home: started detached, found again, stopped with all that it started and nothing else."""

import os
import stat
import subprocess
import sys
import threading

import psutil
import pytest

from leeway.errors import PlatformError
from leeway.local import platform
from leeway.local.home import read_json

pytestmark = pytest.mark.slow

PLAIN = "def handler(context, event):\n    return 'ok'\n"


def test_it_outlives_the_command_that_started_it(laptop):
    code = f"""
from pathlib import Path
from leeway.local import platform
from leeway.settings import Settings
print(platform.ensure(Settings(home=Path({str(laptop.home)!r}))))
"""
    url = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert platform.find(laptop.settings) == url
    assert laptop.address == url.removeprefix("http://")
    process = psutil.Process(platform.status(laptop.settings)["pid"])
    assert os.getsid(process.pid) == process.pid, "its own session: Ctrl-C in the terminal does not reach it"


def test_the_home_is_its_owners_only(laptop):
    assert laptop.address
    assert stat.S_IMODE(laptop.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((laptop.home / "platform.json").stat().st_mode) == 0o600


def test_commands_that_start_it_at_the_same_time_share_one(laptop):
    urls = []
    commands = [threading.Thread(target=lambda: urls.append(platform.ensure(laptop.settings))) for _ in range(4)]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
    assert len(urls) == 4
    assert len(set(urls)) == 1
    laptop.until(lambda: len(laptop.processes()) == 1, "the end of those that came too late")


def test_a_second_platform_on_one_home_says_so(laptop):
    url = platform.ensure(laptop.settings)
    second = subprocess.run(
        [sys.executable, "-m", "leeway.local.supervisor", str(laptop.home)], capture_output=True, text=True
    )
    assert second.returncode == 3
    assert f"a platform is running already on {laptop.home}: pid" in second.stdout
    assert url in second.stdout


def test_two_homes_do_not_meet(make_laptop):
    one, other = make_laptop("one"), make_laptop("other")
    one.deploy("same-name", "def handler(context, event):\n    return 'one'\n")
    other.deploy("same-name", "def handler(context, event):\n    return 'other'\n")
    assert (one.call("same-name").body, other.call("same-name").body) == (b"one", b"other")
    platform.down(one.settings)
    assert one.processes() == []
    assert other.call("same-name").body == b"other"


def test_down_stops_workers_even_where_the_platform_is_gone(laptop):
    worker = laptop.deploy("plain", PLAIN)["workers"][0]["pid"]
    laptop.kill_platform()
    stopped = platform.down(laptop.settings)
    assert stopped == [f"plain default-http-0 (pid {worker})"]
    assert platform.status(laptop.settings)["functions"]["plain"]["state"] == "stopped"
    assert platform.down(laptop.settings) == []


def test_down_runs_termination_callbacks_and_waits_for_no_idle_client(laptop, tmp_path):
    import http.client

    code = f"""
def init_context(context):
    context.platform.set_termination_callback(lambda: open({str(tmp_path / "mark")!r}, "w").write("flushed"))
def handler(context, event):
    return "ok"
"""
    idle = http.client.HTTPConnection(laptop.deploy("plain", code)["externalInvocationUrls"][0])
    idle.request("GET", "/")
    idle.getresponse().read()
    assert not any("killed" in what for what in platform.down(laptop.settings))
    idle.close()
    assert (tmp_path / "mark").read_text() == "flushed"


def test_what_was_deployed_is_back_after_down_at_the_same_address(laptop):
    address = laptop.deploy("plain", PLAIN)["externalInvocationUrls"]
    url = platform.find(laptop.settings)
    platform.down(laptop.settings)
    assert platform.find(laptop.settings) is None
    assert platform.ensure(laptop.settings) == url
    laptop.until(lambda: [w for w in laptop.status("plain")["workers"] if w["serving"]], "its workers")
    assert laptop.status("plain")["externalInvocationUrls"] == address
    assert laptop.call("plain").body == b"ok"


def test_status_names_functions_workers_and_addresses(laptop):
    deployed = laptop.deploy("plain", PLAIN)
    said = platform.status(laptop.settings)
    assert said["url"] == platform.find(laptop.settings)
    function = said["functions"]["plain"]
    assert function["state"] == "ready"
    assert function["project"] == "tests"
    assert function["addresses"] == [f"http://{deployed['externalInvocationUrls'][0]}"]
    assert [worker["pid"] for worker in function["workers"]] == [deployed["workers"][0]["pid"]]


def test_a_platform_that_cannot_start_says_why(laptop):
    laptop.home.mkdir()
    (laptop.home / "functions").write_text("in the way")
    with pytest.raises((PlatformError, OSError)) as caught:
        platform.ensure(laptop.settings)
    assert "functions" in str(caught.value)


def test_an_old_platform_file_whose_process_is_gone_or_another_is_not_believed(laptop):
    url = platform.ensure(laptop.settings)
    about = read_json(laptop.home / "platform.json")
    laptop.kill_platform()
    from leeway.local.home import write_json

    write_json(laptop.home / "platform.json", {**about, "pid": os.getpid()})
    assert platform.find(laptop.settings) is None
    assert platform.ensure(laptop.settings) == url, "on the port of last time"
