"""Identity of processes: an id alone is not one."""

import os
import signal
import subprocess
import sys

from leeway.local.process import Process, stop

GENTLE = "import sys; print('on', flush=True); sys.stdin.read()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + GENTLE


def start(code: str) -> subprocess.Popen:
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def end(child: subprocess.Popen) -> None:
    child.kill()
    child.communicate()


def test_a_process_is_itself():
    me = Process.of(os.getpid())
    assert me is not None
    assert me.alive()
    assert me == Process.of(os.getpid())


def test_the_same_id_with_another_start_is_another_process():
    assert not Process(os.getpid(), "12345678-1").alive()


def test_a_zombie_is_dead():
    child = start(GENTLE)
    process = Process.of(child.pid)
    assert process is not None
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.alive()
    assert Process.of(child.pid) is None
    end(child)


def test_no_process_has_an_id_that_none_has():
    assert Process.of(2**22 + 1) is None


def test_who_ignores_the_signal_is_killed_and_named():
    stubborn, gentle = start(STUBBORN), start(GENTLE)
    processes = [process for child in (stubborn, gentle) if (process := Process.of(child.pid))]
    assert stop(processes, grace_s=0.8) == processes[:1]
    assert not any(process.alive() for process in processes)
    end(stubborn)
    end(gentle)


def test_a_signal_never_reaches_who_got_the_id_later():
    child = start(GENTLE)
    Process(child.pid, "12345678-1").send(signal.SIGKILL)
    assert stop([Process(child.pid, "12345678-1")], grace_s=0.1) == []
    assert child.poll() is None
    end(child)
