"""Runs and their logs."""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlrun
from mlrun.common.runtimes.constants import RunStates
from mlrun.errors import MLRunConflictError, MLRunNotFoundError
from mlrun.lists import RunList
from mlrun.utils import get_in, update_in

from .documents import Key
from .filters import labelled, named, within
from .leftovers import Leftovers
from .owners import Owners
from .part import Part, now, plain, project_or_active

_POLL_S = 0.5


class Runs(Part):
    """Needs the artifacts (a run keeps URIs, they are looked up) and the secrets."""

    def __init__(self, home: Path):
        super().__init__(home)
        self._owners = Owners(self._documents)
        self._leftovers = Leftovers(self._owners.is_current)

    def store_run(self, struct, uid, project="", iter=0):
        project, run = project_or_active(project), plain(struct)
        run["status"] = {key: value for key, value in (run.get("status") or {}).items() if key != "artifacts"}
        self._owners.own(project, uid)
        self.expose_secrets(project)
        self._documents.put(Key("run", project, uid, str(iter or 0)), run)
        self._leftovers.note(project, uid)

    def update_run(self, updates: dict, uid, project="", iter=0, timeout=45):
        project = project_or_active(project)
        unknown = {"metadata": {"uid": uid, "project": project, "iteration": iter or 0}, "status": {}}

        def change(run):
            run = run or unknown
            for key, value in updates.items():
                update_in(run, key, value)
            run["status"].pop("artifacts", None)
            return run

        self._documents.change(Key("run", project, uid, str(iter or 0)), change)
        self._leftovers.note(project, uid)

    def read_run(self, uid, project="", iter=0, format_=None):
        project = project_or_active(project)
        run = self._documents.get(Key("run", project, uid, str(iter or 0)))
        if run is None:
            raise MLRunNotFoundError(f"Run {uid} (iteration {iter or 0}) not found in project {project}")
        if artifacts := self._artifacts_of(run, project):
            run["status"]["artifacts"] = artifacts
        return self._owners.judged(run)

    def _artifacts_of(self, run: dict[str, Any], project: str) -> list[dict[str, Any]]:
        found = []
        for uri in (get_in(run, "status.artifact_uris") or {}).values():
            place, key, iteration, tag, tree, artifact_uid = mlrun.utils.parse_artifact_uri(
                mlrun.datastore.parse_store_uri(uri)[1], project
            )
            with suppress(MLRunNotFoundError):  # deleted since
                found.append(self.read_artifact(key, tag, iteration, place, tree, artifact_uid))
        return found

    def list_runs(
        self, name=None, uid=None, project=None, labels=None, states=None, sort=True, iter=False,
        start_time_from=None, start_time_to=None, last_update_time_from=None, last_update_time_to=None,
        end_time_from=None, end_time_to=None, partition_by=None, rows_per_partition=1, partition_sort_by=None,
        partition_order=None, max_partitions=0, with_notifications=False, state=None,
    ):  # fmt: skip
        project = project_or_active(project)
        uids = [uid] if isinstance(uid, str) else uid
        wanted = [state] if state else states

        def matches(run):
            meta, status = run["metadata"], run["status"]
            return (
                (iter or not meta.get("iteration"))
                and named(name, meta.get("name", ""))
                and (not uids or meta.get("uid") in uids)
                and (not wanted or status.get("state") in wanted)
                and labelled(labels, meta.get("labels"))
                and within(status.get("start_time"), start_time_from, start_time_to)
                and within(status.get("last_update"), last_update_time_from, last_update_time_to)
                and within(status.get("end_time"), end_time_from, end_time_to)
            )

        runs = [self._owners.judged(run) for _, run in self._documents.find("run", None if project == "*" else project)]
        found = [run for run in runs if matches(run)]
        if sort:
            found.sort(key=lambda run: str(run["status"].get("start_time") or ""), reverse=True)
        return RunList(found)

    def del_run(self, uid, project="", iter=0):
        project = project_or_active(project)
        self._documents.delete("run", project, uid, str(iter) if iter else None)
        if not iter:
            for kind in ("log", "owner"):
                self._documents.delete(kind, project, uid)

    def del_runs(self, name="", project="", labels=None, state=None, days_ago=0):
        project, before = project_or_active(project), None
        if days_ago:
            before = mlrun.utils.now_date() - mlrun.utils.helpers.datetime.timedelta(days=int(days_ago))
        states = [state] if state else None
        for run in self.list_runs(name, None, project, labels, states, iter=True, start_time_to=before):
            self.del_run(run["metadata"]["uid"], project)

    def abort_run(self, uid, project="", iter=0, timeout=45, status_text=""):
        project = project_or_active(project)
        run, owner = self.read_run(uid, project, iter), self._owners.of(project, uid)
        if run["status"].get("state") in RunStates.terminal_states():
            raise MLRunConflictError(f"Run {uid} ended already: it is {run['status']['state']}")
        if owner is not None and owner.alive():
            raise MLRunConflictError(f"Run {uid} goes on in process {owner.pid}: interrupt it there (Ctrl-C)")
        updates = {"status.state": RunStates.aborted, "status.last_update": now(), "status.status_text": status_text}
        self.update_run(updates, uid, project, iter)

    def store_log(self, uid, project="", body=None, append=False):
        text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
        key = Key("log", project_or_active(project), uid)
        self._documents.change(key, lambda before: (before or "") + text if append else text)

    def get_log(self, uid, project="", offset=0, size=-1, attempt=None):
        """(state of the run, bytes of its log)."""
        state = self.read_run(uid, project)["status"].get("state", "")
        log = (self._documents.get(Key("log", project_or_active(project), uid)) or "").encode()
        return state, log[offset : offset + size if size and size > 0 else None]

    def get_log_size(self, uid, project=""):
        return len(self.get_log(uid, project)[1])

    def watch_log(self, uid, project="", watch=True, offset=0, attempt=None):
        """Print the log, where `watch` until the run ends; (state, offset of what comes next)."""
        while True:
            state, text = self.get_log(uid, project, offset)
            sys.stdout.write(text.decode(errors="replace"))
            offset += len(text)
            if not watch or state in RunStates.terminal_states():
                return state, offset
            time.sleep(_POLL_S)

    def store_run_notifications(self, notification_objects, run_uid, project=None, mask_params=True):
        """Nothing to do: whoever runs it, pushes them."""

    def push_run_notifications(self, uid, project="", timeout=45):
        """Nothing to do: they were pushed by the process that ran it."""

    def push_pipeline_notifications(self, pipeline_id, project="", notifications=None, timeout=45):
        """Likewise."""
