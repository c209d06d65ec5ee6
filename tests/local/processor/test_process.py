"""The platform's side of a processor, with programs in its place that do what Nuclio's does when something is wrong."""

import asyncio
import base64
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from leeway.errors import PlatformError
from leeway.local.generation import prepare
from leeway.local.home import Home
from leeway.local.processor.nuclio_processor import NuclioProcessor
from leeway.local.processor.process import ProcessorProcess, free_port
from leeway.settings import Settings

pytestmark = pytest.mark.slow

DOCUMENT = {
    "metadata": {"name": "live"},
    "spec": {
        "handler": "main:handler",
        "build": {"functionSourceCode": base64.b64encode(b"def handler(context, event): pass\n").decode()},
        "triggers": {"http": {"kind": "http", "workerTerminationTimeout": "100ms"}},
    },
}
STAYS = "import time\nprint('up', flush=True)\ntime.sleep(600)\n"
LEAVES_A_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(600)", "child"])
print("child", child.pid, flush=True)
time.sleep(600)
"""
PANICS = "import sys\nprint('\\x1b[34mpanic: Wrapper process for worker 0 exited')\nprint('goroutine 1')\nsys.exit(2)\n"


@pytest.fixture
def start(tmp_path):
    """Start a program in the processor's place."""
    home, started = Home(tmp_path / "home"), []
    home.create()

    def start(code, port=0):
        binary = tmp_path / "processor"
        binary.write_text(f"#!{sys.executable}\n{code}")
        binary.chmod(0o700)
        generation = prepare(home.function("live"), DOCUMENT)
        process = ProcessorProcess.start(
            NuclioProcessor(binary, Path(__file__)), home, generation, generation.spec.triggers,
            {"http": port or free_port()}, {"PATH": "/usr/bin:/bin"}, tmp_path / "log",
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        asyncio.run(process.gone())


def said_in(process, words):
    while words not in process.log.read():
        assert process.record.process.alive()


def test_another_program_on_the_port_is_not_taken_for_the_function(start):
    class Ok(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *given):
            """Not on the tests' stderr."""

    other = HTTPServer(("127.0.0.1", 0), Ok)
    thread = threading.Thread(target=other.serve_forever)
    thread.start()
    try:
        with pytest.raises(PlatformError, match=f"port {other.server_port} is another program's \\(200 to our probe"):
            asyncio.run(start(STAYS, other.server_port).ready(0.5))
    finally:
        other.shutdown()
        other.server_close()
        thread.join()


def test_one_that_never_answers_is_given_up(start):
    with pytest.raises(PlatformError, match=r"not ready after 0\.2 s"):
        asyncio.run(start(STAYS).ready(0.2))


def test_how_it_ended_is_read_from_its_log(start):
    with pytest.raises(PlatformError) as refused:
        asyncio.run(start(PANICS).ready(20))
    assert "exited 2; its log says: panic: Wrapper process for worker 0 exited" in str(refused.value)


def test_nothing_of_its_group_outlives_it_and_its_files_go_with_it(start):
    process = start(LEAVES_A_CHILD)
    said_in(process, "child")
    child = psutil.Process(int(process.log.read().split()[-1]))
    psutil.Process(process.record.pid).kill()
    asyncio.run(process.gone())
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running()
    assert not Path(process.record.socket).exists()


def test_a_new_platform_kills_one_that_does_not_answer_and_adopts_none_that_is_gone(start, tmp_path, monkeypatch):
    monkeypatch.setattr("leeway.local.processor.process._PROBE_S", 0.2)
    process = start(STAYS)
    said_in(process, "up")
    assert asyncio.run(ProcessorProcess.adopt(process.record, tmp_path / "log")) is None
    asyncio.run(process.gone())
    assert asyncio.run(ProcessorProcess.adopt(process.record, tmp_path / "log")) is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"nuclio_processor": "/nowhere/processor"}, "NUCLIO_PROCESSOR names '/nowhere/processor', which is no file"),
        ({"nuclio_processor": __file__, "nuclio_wrapper": "/no.py"}, "NUCLIO_PYTHON_WRAPPER_PATH names '/no.py'"),
    ],
)
def test_files_that_are_not_there_are_named(settings, said):
    with pytest.raises(PlatformError, match=said):
        NuclioProcessor.of(Settings(**settings)).check()


def test_without_the_variable_there_is_no_processor():
    assert NuclioProcessor.of(Settings()) is None
