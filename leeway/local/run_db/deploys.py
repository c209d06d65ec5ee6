"""Deploying: MLRun hands over a function, the platform gets a Nuclio document and is asked how it goes."""

import os
import time
from pathlib import Path
from typing import Any

import mlrun
from mlrun.common.constants import DeployStatusTextKind
from mlrun.common.schemas import BackgroundTask, BackgroundTaskMetadata, BackgroundTaskStatus
from mlrun.db.base import RunDBError
from mlrun.errors import MLRunNotFoundError
from mlrun.runtimes.base import RunError
from mlrun.runtimes.nuclio.function import get_fullname

from leeway.errors import LeewayError
from leeway.local.environment import STORES
from leeway.local.requirements import check

from .nuclio_document import full_name, nuclio_document
from .part import Part, project_or_active
from .platform_client import PlatformClient
from .refusals import refuse
from .served_models import served_models

_FAILED = ("error", "unhealthy")
_POLL_S = 2.0


class Deploys(Part):
    """Needs the functions, the projects and the secrets."""

    def __init__(self, home: Path):
        super().__init__(home)
        self._platform = PlatformClient(home)
        self._begun_ms: dict[str, float] = {}

    def deploy_nuclio_function(self, func, builder_env=None):
        func.metadata.project = project_or_active(func.metadata.project)
        if func.kind not in ("remote", "nuclio", "serving"):
            refuse("deploy_nuclio_function", f"a function of kind {func.kind!r}")
        function = {**func.to_dict(), "status": {"state": "building", "nuclio_name": full_name(func)}}
        self._begun_ms[full_name(func)] = time.time() * 1000
        try:
            self._platform.put(self._document(func))
        except (LeewayError, RunError) as exc:
            self._store_deployed(func, {**function, "status": {"state": "error", "message": str(exc)}})
            raise exc if isinstance(exc, RunError) else RunError(str(exc)) from exc
        self._store_deployed(func, function)
        return {"data": function, "background_tasks": {"background_tasks": []}}

    def _document(self, func: Any) -> dict[str, Any]:
        project, own = func.metadata.project, func._get_nuclio_config_spec_env()[0]
        stores = {name: os.environ[name] for name in STORES if os.environ.get(name) and name not in own}
        env = self.secret_variables(project) | served_models(own, self, project) | stores
        return nuclio_document(func, self._context(project), env)

    def _context(self, project: str) -> Path:
        loaded = mlrun.projects.pipeline_context.project
        if loaded is None or loaded.metadata.name != project:
            try:
                loaded = self.get_project(project)
            except MLRunNotFoundError:
                return Path.cwd()
        return Path(loaded.spec.context or ".", loaded.spec.subpath or "").absolute()

    def _store_deployed(self, func: Any, function: dict[str, Any]) -> None:
        self.store_function(function, func.metadata.name, func.metadata.project, func.metadata.tag)

    def get_nuclio_deploy_status(self, func, last_log_timestamp=0.0, verbose=False):
        """Fills func.status; (log, time of its last line in ms). Waits a moment for the function to settle, as MLRun
        asks again at once. The log is empty where all is well, unless `verbose`."""
        name = get_fullname(func.metadata.name, project_or_active(func.metadata.project), func.metadata.tag)
        found = self._platform.settled(name, _POLL_S)
        if found is None:
            raise RunDBError(f"function {name} is not deployed")
        status = found["status"]
        urls = status.get("externalInvocationUrls") or []
        func.status.state, func.status.nuclio_name = status["state"], name
        func.status.address = urls[0] if urls else ""
        func.status.external_invocation_urls = urls
        func.status.internal_invocation_urls = status.get("internalInvocationUrls") or []
        failed = status["state"] in _FAILED
        if failed:  # MLRun saves the state of what got ready only
            self._store_failure(func, status.get("message", ""))
        since = max(last_log_timestamp or 0.0, self._begun_ms.get(name, 0.0))
        logs = [entry for entry in status.get("logs") or () if entry["time"] > since]
        text = "\n".join(entry["message"] for entry in logs if verbose or entry["level"] != "debug")
        return text if failed or verbose else "", max([since, *(entry["time"] for entry in logs)])

    def _store_failure(self, func: Any, message: str) -> None:
        try:
            function = self.get_function(func.metadata.name, func.metadata.project, func.metadata.tag)
        except MLRunNotFoundError:
            return
        self._store_deployed(func, {**function, "status": {**func.status.to_dict(), "message": message}})

    def deployed_in(self, project: str) -> list[str]:
        """Full names of the functions of a project that the platform has."""
        return self._platform.deployed_in(project)

    def delete_by_full_name(self, name: str) -> None:
        self._platform.delete(name)

    def delete_deployed(self, name: str, project: str, tag: str) -> None:
        """Stop a function, where it is deployed."""
        full = get_fullname(name, project, tag)
        if full in self.deployed_in(project):
            self._platform.delete(full)

    def remote_builder(
        self, func, with_mlrun, mlrun_version_specifier=None, skip_deployed=False, builder_env=None, force_build=False
    ):
        """There are no images here: a function is built when what it needs is installed. RunError names what is not."""
        try:
            check(func.spec.build.commands or (), func.spec.build.requirements or ())
        except LeewayError as exc:
            raise RunError(str(exc)) from exc
        func.metadata.project = project_or_active(func.metadata.project)
        function = {**func.to_dict(), "status": {"state": "ready"}}
        self._store_deployed(func, function)
        return {"data": function, "ready": True}

    def get_builder_status(self, func, offset=0, logs=True, last_log_timestamp=0.0, verbose=False, events_offset=0):
        func.status.state = "ready"
        return "", last_log_timestamp, DeployStatusTextKind.logs

    def get_project_background_task(self, project, name):
        """A serving router asks for the task that would have made its model endpoints: there is none."""
        at = mlrun.utils.now_date()
        metadata = BackgroundTaskMetadata(name=name or "none", project=project, created=at, updated=at)
        return BackgroundTask(metadata=metadata, spec={}, status=BackgroundTaskStatus(state="failed"))
