"""A real PostgreSQL, of Debian's package or of the PATH."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from .server import Server

_DEBIAN = Path("/usr/lib/postgresql")


class PostgresServer(Server):
    """It refuses to run as root, who starts it as the user postgres. Nothing is synced to disk: tests only."""

    name = "postgres"
    user = "postgres" if os.geteuid() == 0 else None

    @classmethod
    def missing(cls) -> str:
        return "" if _program("initdb") else "PostgreSQL (Debian: apt-get install postgresql)"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self._options = options or ("-cfsync=off",)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
        data = str(self.folder / "data")
        self.run(
            str(_program("initdb")), "-D", data, "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8", "-U", "postgres", "-N"
        )

    def command(self) -> list[str]:
        options = ["-clisten_addresses=127.0.0.1", f"-cunix_socket_directories={self.folder}", *self._options]
        return [str(_program("postgres")), "-D", str(self.folder / "data"), "-p", str(self.port), *options]

    def is_ready(self) -> bool:
        command = [str(_program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, cwd=self.folder).returncode == 0

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT does not wait for clients."""
        super().stop(how)

    def kill(self) -> None:
        """SIGQUIT: at once and without a checkpoint; SIGKILL would leave its children."""
        self.stop(signal.SIGQUIT)


def _program(name: str) -> Path | None:
    debian = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = shutil.which(name)
    return debian[-1] if debian else Path(found) if found else None
