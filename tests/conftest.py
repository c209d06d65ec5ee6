"""For every test: the slow ones run last, and neither a process nor an event loop outlives them."""

import asyncio
import os
import sys
from contextlib import suppress

import psutil
import pytest

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # its threads begin anew in every fork of the tests' process otherwise


@pytest.fixture(autouse=True)
def close_the_loop_that_mlrun_leaves():
    """MLRun's notifications make an event loop where there is none, and never close it."""
    yield
    if "mlrun" in sys.modules:
        with suppress(RuntimeError):  # there is none
            asyncio.get_event_loop_policy().get_event_loop().close()
            asyncio.set_event_loop(None)


pytest_plugins = ["tests.engines.plugin"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    basetemp = str(session.config._tmp_path_factory.getbasetemp())
    own = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}  # --basetemp names it, too
    found = [process for process in psutil.process_iter(["pid", "cmdline"]) if process.pid not in own]
    left = [process for process in found if basetemp in " ".join(_command(process))]
    for process in left:
        print(f"\nleft running: {process.pid} {' '.join(_command(process))}")
    if left and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _command(process):
    return process.info["cmdline"] or ()
