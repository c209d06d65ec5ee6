"""Artifacts, and the tags that point at them."""

import hashlib
import json
from typing import Any

import mlrun
from mlrun.errors import MLRunBadRequestError, MLRunNotFoundError
from mlrun.lists import ArtifactList
from mlrun.utils import dict_to_json

from .documents import Key
from .filters import labelled, named, within
from .part import Part, now, plain, project_or_active

_LATEST = "latest"


class Artifacts(Part):
    """An artifact is one of its key, its iteration and its tree (the run that made it): logged again there, it is
    replaced. `latest` points at what was logged last."""

    def store_artifact(self, key, artifact, iter=None, tag="", project="", tree=None):
        project = project_or_active(project)
        document = json.loads(dict_to_json(plain(artifact)))
        meta = document.setdefault("metadata", {})
        iter, tree = iter or 0, tree or meta.get("tree") or ""
        document.setdefault("spec", {})["db_key"] = key
        meta.update(project=project, iter=iter, tree=tree, updated=now(), uid=_uid(project, key, iter, tree))
        meta.setdefault("created", meta["updated"])
        tag = tag or meta.get("tag") or _LATEST
        meta["tag"] = tag
        version = _version(iter, tree)
        tags = [(Key("tag", project, key, _version(iter, each)), version) for each in sorted({_LATEST, tag})]
        self._documents.put_all([(Key("artifact", project, key, version), document), *tags])
        return document

    def read_artifact(self, key, tag="", iter=None, project="", tree=None, uid=None, format_=None):
        project = project_or_active(project)
        document = self._by_version(project, key, tag, iter or 0, tree)
        if uid and (document is None or document["metadata"]["uid"] != uid):
            found = (one for _, one in self._documents.find("artifact", project, key) if one["metadata"]["uid"] == uid)
            document = next(found, None)
        if document is None:
            which = f"@{tree}" if tree else f"^{uid}" if uid else f":{tag or _LATEST}"
            raise MLRunNotFoundError(f"Artifact {key}{which} not found in project {project}")
        document["metadata"]["tag"] = tag or document["metadata"].get("tag") or _LATEST
        return document

    def _by_version(self, project: str, key: str, tag: str | None, iter: int, tree: str | None) -> dict | None:
        if tree:
            version = _version(iter, tree)
        else:
            version = self._documents.get(Key("tag", project, key, _version(iter, tag or _LATEST)))
        return self._documents.get(Key("artifact", project, key, version)) if version else None

    def list_artifacts(
        self, name="", project="", tag="", labels=None, since=None, until=None, iter=None, best_iteration=False,
        kind=None, category=None, tree=None, parent=None, format_=None, partition_by=None, rows_per_partition=1,
        partition_sort_by=None, partition_order=None, producer_uri=None, limit=None,
    ):  # fmt: skip
        project = project_or_active(project)
        kinds, excluded = (
            mlrun.common.schemas.ArtifactCategories(category).to_kinds_filter() if category else ([], True)
        )
        tagged = None if tag == "*" or tree else self._tagged(project, tag or _LATEST)

        def matches(key, document):
            meta, of = document["metadata"], document.get("kind") or "artifact"
            return (
                (tagged is None or (key.name, key.version) in tagged)
                and named(name, key.name)
                and (of == kind if kind else of != "link")
                and (of in kinds) is not excluded
                and (iter is None or meta["iter"] == iter)
                and (not tree or meta["tree"] == tree)
                and (not parent or parent in str(document["spec"].get("parent_uri") or ""))
                and (not producer_uri or (document["spec"].get("producer") or {}).get("uri") == producer_uri)
                and labelled(labels, meta.get("labels"))
                and within(meta["updated"], since, until)
            )

        found = ArtifactList(one for key, one in self._documents.find("artifact", project) if matches(key, one))
        for document in found if tag and tag != "*" else ():
            document["metadata"]["tag"] = tag
        return ArtifactList(found[:limit]) if limit else found

    def _tagged(self, project: str, tag: str) -> set[tuple[str, str]]:
        """(key, version) of what a tag points at."""
        tags = self._documents.find("tag", project)
        return {(key.name, version) for key, version in tags if key.version.partition("/")[2] == tag}

    def del_artifact(
        self, key, tag="", project="", tree=None, uid=None, deletion_strategy=None, secrets=None, iter=None
    ):
        project = project_or_active(project)
        if str(getattr(deletion_strategy, "value", deletion_strategy) or "metadata-only") != "metadata-only":
            raise MLRunBadRequestError(
                f"deletion_strategy={deletion_strategy}: the laptop forgets an artifact, but deletes no data; "
                "delete what lies at its target_path yourself"
            )
        meta = self.read_artifact(key, tag, iter, project, tree, uid)["metadata"]
        version = _version(meta["iter"], meta["tree"])
        self._documents.delete("artifact", project, key, version)
        for each, target in self._documents.find("tag", project, key):
            if target == version:
                self._documents.delete(*each)

    def del_artifacts(self, name="", project="", tag="", labels=None):
        for one in self.list_artifacts(name, project, tag or "*", labels):
            meta = one["metadata"]
            self.del_artifact(one["spec"]["db_key"], project=meta["project"], tree=meta["tree"], iter=meta["iter"])

    def tag_artifacts(self, artifacts, project: str, tag_name: str, replace: bool = False):
        project = project_or_active(project)
        if replace:
            for key, _ in self._documents.find("tag", project):
                if key.version.partition("/")[2] == tag_name:
                    self._documents.delete(*key)
        for key, iter, tree in _places(artifacts):
            self._documents.put(Key("tag", project, key, _version(iter, tag_name)), _version(iter, tree))

    def delete_artifacts_tags(self, artifacts, project: str, tag_name: str):
        for key, iter, _ in _places(artifacts):
            self._documents.delete("tag", project_or_active(project), key, _version(iter, tag_name))

    def list_artifact_tags(self, project=None, category=None):
        keys = [key for key, _ in self._documents.find("tag", project_or_active(project))]
        return sorted({key.version.partition("/")[2] for key in keys})


def _version(iter: int, of: str) -> str:
    """The version of an artifact (`of` is its tree) or of a tag (`of` is the tag)."""
    return f"{iter}/{of}"


def _uid(project: str, key: str, iter: int, tree: str) -> str:
    return hashlib.sha1(f"{project}/{key}/{iter}/{tree}".encode()).hexdigest()


def _places(artifacts: Any) -> list[tuple[str, int, str]]:
    """(key, iteration, tree) of each."""
    given = artifacts if isinstance(artifacts, list) else [artifacts]
    documents = [plain(each) for each in given]
    return [
        (
            one["spec"].get("db_key") or one["metadata"]["key"],
            one["metadata"].get("iter") or 0,
            one["metadata"].get("tree") or "",
        )
        for one in documents
    ]
