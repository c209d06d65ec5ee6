"""Projects."""

import mlrun
from mlrun.errors import MLRunConflictError, MLRunNotFoundError, MLRunPreconditionFailedError

from .documents import Key
from .filters import labelled
from .part import Part, now, plain

_FORCED = "cascade"


class Projects(Part):
    """Needs deployed_in and delete_deployed."""

    def store_project(self, name: str, project):
        document = plain(project)
        document["metadata"] = {"created": now(), **(document.get("metadata") or {})}
        document["status"] = {"state": "online", **(document.get("status") or {})}
        self._documents.put(Key("project", name, name), document)
        return self.get_project(name)

    def create_project(self, project):
        name = plain(project)["metadata"]["name"]
        if self._documents.get(Key("project", name, name)) is not None:
            raise MLRunConflictError(f"Project {name} already exists")
        return self.store_project(name, project)

    def get_project(self, name: str):
        document = self._documents.get(Key("project", name, name))
        if document is not None:
            return mlrun.projects.MlrunProject.from_dict(document)
        # The very first load_project of a process looks whether there is a database before this one takes its place,
        # and then saves nothing.
        loaded = mlrun.projects.pipeline_context.project
        if loaded is not None and loaded.metadata.name == name:
            return loaded
        raise MLRunNotFoundError(f"Project {name} not found")

    def patch_project(self, name: str, project: dict, patch_mode="replace"):
        document = self.get_project(name).to_dict()
        for part in ("metadata", "spec", "status"):
            document[part] = {**(document.get(part) or {}), **(project.get(part) or {})}
        return self.store_project(name, document)

    def list_projects(self, owner=None, format_="name_only", labels=None, state=None):
        found = []
        for key, document in self._documents.find("project"):
            if (
                labelled(labels, document["metadata"].get("labels"))
                and (not owner or document["spec"].get("owner") == owner)
                and (not state or document["status"].get("state") == state)
            ):
                found.append(key.name if format_ == "name_only" else mlrun.projects.MlrunProject.from_dict(document))
        return found

    def delete_project(self, name: str, deletion_strategy="restrict"):
        strategy = getattr(deletion_strategy, "value", deletion_strategy) or "restrict"
        deployed = self.deployed_in(name)
        if deployed and _FORCED not in strategy and strategy != "check":
            raise MLRunPreconditionFailedError(
                f"Project {name} has deployed functions: {', '.join(deployed)}; "
                'deletion_strategy="cascade" stops and deletes them too'
            )
        if strategy == "check":
            return
        for function in deployed:
            self.delete_by_full_name(function)
        self._documents.delete(None, name)
