"""A process beside this one, which does one thing after the other for it, and may die of it."""

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_LOOK_S = 0.2  # a keeper waits for its child and, as nothing tells it of that, for the end of the process it belongs to
_NOTHING_FOLLOWS = 77  # an exit code that no model will have
_TAKEN, _DONE, _DIED = "taken", "done", "died"
_MOST_DEATHS = 2  # before anything is taken; the first may be of a process that had nothing to do


class Died(Exception):
    """The process ended over what it was asked, or what it said cannot be passed on."""


class Apart:
    """Forked when it is made, with all that `work` needs, so it is to be made before there are threads and open files
    that matter. A keeper, which stays as it was then, starts the one that works, and another one when that dies. They
    end with this process.
    """

    def __init__(self, work: Callable[[Any], Any]):
        from multiprocessing import Pipe  # most workers have no use for it

        self._asked = 0
        self._ours, theirs = Pipe()
        parent = os.getpid()
        self._keeper = os.fork()
        if not self._keeper:
            _keep(theirs, work, parent)
        theirs.close()

    def ask(self, given: Any) -> Any:
        """What the work gives; Died where it does not. EOFError or OSError once this is closed."""
        self._asked += 1
        self._ours.send_bytes(pickle.dumps((self._asked, given)))
        is_taken, deaths = False, 0
        while True:
            kind, asked, said = pickle.loads(self._ours.recv_bytes())
            if kind == _DIED and asked in (None, self._asked):
                deaths += 1
                if is_taken or asked or deaths == _MOST_DEATHS:
                    raise Died(said)
            elif asked == self._asked:
                if kind == _DONE:
                    return said
                is_taken = True

    def close(self) -> None:
        """End it, whatever it is at."""
        with suppress(ProcessLookupError):
            os.kill(self._keeper, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitpid(self._keeper, 0)
        self._ours.close()


def _keep(pipe: "Connection", work: Callable[[Any], Any], parent: int) -> NoReturn:
    worker = 0

    def end(*_: object) -> NoReturn:
        if worker:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        os._exit(0)

    try:
        _leave_behind(pipe.fileno())
        signal.signal(signal.SIGTERM, end)
        while True:
            worker = os.fork()
            if not worker:
                _work(pipe, work)
            while (done := os.waitpid(worker, os.WNOHANG)) == (0, 0):
                if os.getppid() != parent:
                    end()
                time.sleep(_LOOK_S)
            code = os.waitstatus_to_exitcode(done[1])
            if code == _NOTHING_FOLLOWS:
                os._exit(0)
            _send(pipe, _DIED, None, f"its process ended with {code}")
    finally:
        os._exit(1)


def _work(pipe: "Connection", work: Callable[[Any], Any]) -> NoReturn:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if "threadpoolctl" in sys.modules:  # the threads that OpenMP had before the fork would be waited for
            sys.modules["threadpoolctl"].threadpool_limits(1)
        while True:
            try:
                asked, given = pickle.loads(pipe.recv_bytes())
            except EOFError:
                os._exit(_NOTHING_FOLLOWS)
            _send(pipe, _TAKEN, asked, None)
            _send(pipe, _DONE, asked, work(given))
    finally:
        os._exit(1)


def _send(pipe: "Connection", kind: str, asked: int | None, said: Any) -> None:
    try:
        data = pickle.dumps((kind, asked, said))
    except Exception as error:
        data = pickle.dumps((_DIED, asked, f"what it said cannot be passed on ({type(error).__name__})"))
    pipe.send_bytes(data)


def _leave_behind(kept: int) -> None:
    """What the process was forked from goes on with: its signals, its sockets, its files. Their numbers stay open, as
    libraries that close their own in every fork, as Arrow does, end the process where that fails."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in list(Path("/dev/fd").iterdir()):
        fd = int(each.name)
        if fd > 2 and fd not in (kept, nowhere) and not _is_the_process_own(each):
            os.dup2(nowhere, fd, inheritable=False)
    os.close(nowhere)


def _is_the_process_own(fd: Path) -> bool:
    """Whether it leads nowhere else, as what threads are woken by, which libraries that start threads anew in a fork,
    as gRPC does, have a use for; or is not there any more."""
    try:
        return str(fd.readlink()).startswith("anon_inode:")
    except FileNotFoundError:
        return True
    except OSError:  # a system that does not say
        return False
