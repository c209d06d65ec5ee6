"""Functions as MLRun knows them. What is deployed, the platform knows."""

from mlrun.errors import MLRunNotFoundError
from mlrun.utils.helpers import fill_function_hash

from .documents import Key
from .filters import labelled, named, within
from .part import Part, now, plain, project_or_active

_BY_HASH = "@"


class Functions(Part):
    """Kept by tag, and by hash where they are stored `versioned`."""

    def store_function(self, function, name, project="", tag="", versioned=False):
        project, document = project_or_active(project), plain(function)
        document["metadata"] = dict(document.get("metadata") or {})
        tag = tag or document["metadata"].get("tag") or "latest"
        hash_key = fill_function_hash(document, tag)
        document["metadata"]["updated"] = now()
        versions = [tag, _BY_HASH + hash_key] if versioned else [tag]
        self._documents.put_all([(Key("function", project, name, version), document) for version in versions])
        return hash_key

    def get_function(self, name, project="", tag="", hash_key=""):
        project = project_or_active(project)
        version = _BY_HASH + hash_key if hash_key else tag or "latest"
        document = self._documents.get(Key("function", project, name, version))
        if document is None:
            raise MLRunNotFoundError(f"Function {name}:{version} not found in project {project}")
        return document

    def list_functions(
        self, name=None, project=None, tag=None, kind=None, labels=None, states=None, format_=None, since=None,
        until=None,
    ):  # fmt: skip
        def matches(key, document):
            meta = document["metadata"]
            return (
                not key.version.startswith(_BY_HASH)
                and (not tag or tag in ("*", key.version))
                and named(name, key.name)
                and (not kind or document.get("kind") == kind)
                and (not states or (document.get("status") or {}).get("state") in states)
                and labelled(labels, meta.get("labels"))
                and within(meta["updated"], since, until)
            )

        project = project_or_active(project)
        found = self._documents.find("function", None if project == "*" else project)
        return [document for key, document in found if matches(key, document)]

    def delete_function(self, name: str, project: str = ""):
        """Forget it; where it is deployed, it is stopped too."""
        project = project_or_active(project)
        for tag in {key.version for key, _ in self._documents.find("function", project, name)}:
            if not tag.startswith(_BY_HASH):
                self.delete_deployed(name, project, tag)
        self._documents.delete("function", project, name)
