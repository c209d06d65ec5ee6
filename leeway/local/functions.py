"""All deployed functions of one home."""

import asyncio
from collections.abc import Mapping
from typing import Any

from .function import Function
from .function_spec import check_name
from .home import Home, read_json
from .worker_process import WorkerRecord


class Functions(dict[str, Function]):
    """By name."""

    def __init__(self, home: Home, environ: Mapping[str, str]):
        super().__init__()
        self._home, self._environ = home, environ
        self._deploys: dict[str, asyncio.Task] = {}

    async def resume(self) -> None:
        """Take over what an earlier platform of this home left, and do again what it left undone."""
        self._drop_old_sockets()
        for folder in self._home.deployed():
            self[folder.path.name] = Function(self._home, folder.path.name, self._environ)
        undone = [function.document for function in self.values() if function.state == "building"]
        await asyncio.gather(*(function.resume() for function in self.values()))
        for document in undone:
            self.deploy(document)

    def _drop_old_sockets(self) -> None:
        """Those that a platform which was killed left behind."""
        records = [WorkerRecord(**entry) for home in self._home.deployed() for entry in read_json(home.workers, [])]
        used = {record.socket for record in records if record.process.alive()}
        for path in self._home.sockets.iterdir():
            if f"{self._home.sockets.name}/{path.name}" not in used:
                path.unlink()

    def deploy(self, document: Mapping[str, Any]) -> asyncio.Task:
        """Deploy a new function, or a new version of one; the task ends when the state is settled."""
        name = check_name((document.get("metadata") or {}).get("name"))
        function = self.setdefault(name, Function(self._home, name, self._environ))
        self._deploys[name] = asyncio.create_task(function.begin(document))
        return self._deploys[name]

    async def delete(self, name: str) -> None:
        """Stop it and forget it; a deploy under way is given up."""
        if (deploy := self._deploys.pop(name, None)) is not None:
            deploy.cancel()
            await asyncio.wait([deploy])
        function = self.pop(name)
        await function.stop()
        function.erase()
