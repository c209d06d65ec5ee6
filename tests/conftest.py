"""For every test: the slow ones run last, and no process that was started for a test outlives them."""

import psutil
import pytest

pytest_plugins = ["tests.engines.plugin"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    basetemp = str(session.config._tmp_path_factory.getbasetemp())
    left = [process for process in psutil.process_iter(["pid", "cmdline"]) if basetemp in " ".join(_command(process))]
    for process in left:
        print(f"\nleft running: {process.pid} {' '.join(_command(process))}")
    if left and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _command(process):
    return process.info["cmdline"] or ()
