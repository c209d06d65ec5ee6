"""TimescaleDB in a PostgreSQL of one process and one session (PGlite), from the package that install.sh fetched."""

import shutil
from pathlib import Path

from .server import INSTALLED, Server

_MODULES = INSTALLED / "timescale" / "node_modules"
_PROGRAM = Path(__file__).parent / "timescale" / "server.mjs"


class TimescaleServer(Server):
    """It has no COPY and no background workers: policies are taken and never run. A restart forgets everything."""

    name = "timescale"

    @classmethod
    def missing(cls) -> str:
        if not shutil.which("node"):
            return "Node.js for TimescaleDB (Debian: apt-get install nodejs npm)"
        return "" if _MODULES.exists() else "TimescaleDB (sh tests/engines/install.sh)"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        (self.folder / "node_modules").symlink_to(_MODULES)

    def command(self) -> list[str]:
        return ["node", str(_PROGRAM), str(self.port)]
