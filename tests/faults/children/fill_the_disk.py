"""Answers while the disk is full, and when there is room again. In a mount namespace of its own the home is on a small
tmpfs; where that is refused, files end at a limit, as under a quota. Prints one JSON object."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.outbox_waiting import outboxes_below
from leeway.settings import Settings

KEY, PATIENCE_S = "shop/server/a", 60.0


class Quota:
    """No file may grow beyond what it has."""

    def fill(self, home: Path) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self._set(max(path.stat().st_size for path in home.rglob("*.outbox")))

    def free(self, home: Path) -> None:
        self._set(resource.RLIM_INFINITY)

    def _set(self, size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class SmallDisk:
    """A file takes all the room there is."""

    def fill(self, home: Path) -> None:
        with (home / "filler").open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4_096):
                    pass
            except OSError:
                pass

    def free(self, home: Path) -> None:
        (home / "filler").unlink()


def main(home: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(home)], capture_output=True)
    disk = SmallDisk() if mounted.returncode == 0 and sys.argv[2] == "own" else Quota()
    settings = Settings(home=home)
    outbox = Outbox.create(home / "outbox" / "shop" / "server", settings, SystemClock())
    forwarder = Forwarder(outbox, lambda: connect.stream("s", settings), SystemClock())
    before = [outbox.append(KEY, lambda origin: b"x" * 2_000) for _ in range(5)]
    disk.fill(home)
    full = [outbox.append(KEY, lambda origin: b"x" * 8_000) for _ in range(5)]
    shown = outboxes_below(home / "outbox")
    forwarder.start()
    disk.free(home)
    origins = []
    after = outbox.append(KEY, lambda origin: origins.append(origin) or b"later")
    ended = forwarder.close(PATIENCE_S)
    stream = connect.stream("s", settings)
    values = [message.value for message in stream.read(0, 0, 100)]
    print(
        json.dumps(
            {
                "disk": type(disk).__name__, "before": before, "full": full, "after": after, "ended": ended,
                "dropped": origins[0].dropped, "seq": origins[0].seq, "shown": shown, "messages": len(values),
            }
        )
    )  # fmt: skip


main(Path(sys.argv[1]))
