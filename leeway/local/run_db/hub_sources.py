"""Where `hub://` finds functions: in Leeway's own hub, and in the sources that the user names."""

from pathlib import Path

from mlrun.common.schemas import IndexedHubSource
from mlrun.common.schemas.hub import HubSourceType
from mlrun.errors import MLRunBadRequestError, MLRunNotFoundError

from leeway.local.hub import CHANNEL, SOURCE, hub_folder

from .documents import Key
from .part import Part, plain


class HubSources(Part):
    """A source's path is a folder or a URL. Ours comes after the user's, and cannot be replaced."""

    def create_hub_source(self, source):
        return self._store_source(IndexedHubSource(**plain(source)))

    def store_hub_source(self, source_name: str, source):
        source = IndexedHubSource(**plain(source))
        source.source.metadata.name = source_name
        return self._store_source(source)

    def _store_source(self, source: IndexedHubSource) -> IndexedHubSource:
        name, sources = source.source.metadata.name, self._named_sources()
        if name == SOURCE:
            raise MLRunBadRequestError(f"the hub source {SOURCE!r} is built in; give yours another name")
        if source.index < 1:
            known = {one.source.metadata.name: one.index for one in sources}
            source.index = known.get(name) or max(known.values(), default=0) + 1
        self._documents.put(Key("hub source", "", name), source.dict())
        return source

    def get_hub_source(self, source_name: str):
        known = {one.source.metadata.name: one for one in self._sources()}
        if source_name not in known:
            raise MLRunNotFoundError(f"hub source {source_name!r} not found; there are: {', '.join(sorted(known))}")
        return known[source_name]

    def list_hub_sources(self, item_name=None, tag=None, version=None, item_type=HubSourceType.functions):
        """Those that may have the item: folders that do, then URLs, where only a request could tell."""
        sources = self._sources()
        if not item_name:
            return sources
        there = f"{item_name.replace('-', '_')}/{tag or version or 'latest'}/src"
        kind = getattr(item_type, "value", item_type)
        folders = {id(one): _folder(one.source.get_full_uri(there, kind)) for one in sources}
        has = [one for one in sources if (folder := folders[id(one)]) is not None and folder.is_dir()]
        return has + [one for one in sources if folders[id(one)] is None]

    def delete_hub_source(self, source_name: str):
        if source_name == SOURCE:
            raise MLRunBadRequestError(f"the hub source {SOURCE!r} is built in and cannot be deleted")
        self._documents.delete("hub source", "", source_name)

    def _named_sources(self) -> list[IndexedHubSource]:
        found = [IndexedHubSource(**document) for _, document in self._documents.find("hub source")]
        return sorted(found, key=lambda one: one.index)

    def _sources(self) -> list[IndexedHubSource]:
        given = self._named_sources()
        metadata = {"name": SOURCE, "description": "what Leeway brings along"}
        own = {"metadata": metadata, "spec": {"path": str(hub_folder()), "channel": CHANNEL}}
        return [*given, IndexedHubSource(index=max([one.index for one in given], default=0) + 1, source=own)]


def _folder(uri: str) -> Path | None:
    path = uri.removeprefix("file://")
    return None if "://" in path else Path(path)
