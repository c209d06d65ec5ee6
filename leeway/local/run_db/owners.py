"""Which process a run belongs to: Ctrl-C and kill leave it "running", and nobody else would notice."""

from typing import Any

from mlrun.common.runtimes.constants import RunStates

from leeway.local.process import Process

from .documents import Documents, Key


class Owners:
    """The owner of a run is the process that stored it first; a program that it starts for it does not take over."""

    def __init__(self, documents: Documents):
        self._documents = documents

    def own(self, project: str, uid: str) -> None:
        """Note this process, unless another one has the run and lives."""
        owner = self.of(project, uid)
        if owner is None or not owner.alive():
            current = Process.current()
            self._documents.put(Key("owner", project, uid), {"pid": current.pid, "started": current.started})

    def of(self, project: str, uid: str) -> Process | None:
        found = self._documents.get(Key("owner", project, uid))
        return Process(**found) if found else None

    def is_current(self, project: str, uid: str) -> bool:
        return self.of(project, uid) == Process.current()

    def judged(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run; in error where it says that it goes on, and its process is gone."""
        status = run.setdefault("status", {})
        if status.get("state") not in RunStates.terminal_states():
            owner = self.of(run["metadata"].get("project", ""), run["metadata"].get("uid", ""))
            if owner is not None and not owner.alive():
                status.update(state=RunStates.error, error=f"its process ({owner.pid}) ended before the run did")
        return run
