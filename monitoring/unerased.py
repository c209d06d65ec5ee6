"""The archive as readers see it: without what was erased, from the moment on in which that was asked for."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from leeway.backends.unify_tables import unify_tables
from leeway.interfaces import Archive, ArchiveFile, Within

from .erase import COLUMNS, EraseList, without_ids


class Unerased(Archive):
    """Another archive, of which rows of erased ids are never read, though some file may still hold them: one that was
    not rewritten yet, or that came later."""

    def __init__(self, archive: Archive, erased: EraseList):
        self._archive, self._erased = archive, erased

    def read(
        self,
        kind: str,
        deployment: str | None = None,
        columns: Sequence[str] | None = None,
        days: Sequence[str] = (),
        where: Sequence[Within] = (),
    ) -> pa.Table:
        keys = self._erased.deployments()
        if not keys or (deployment is not None and deployment not in keys):
            return self._archive.read(kind, deployment, columns, days, where)
        if deployment is None:
            tables = [self.read(kind, each, columns, days, where) for each in self._archive.deployments(kind)]
            return tables[0] if len(tables) == 1 else unify_tables(tables, is_one_stream=False)
        wanted = None if columns is None else [*columns, *(name for name in COLUMNS if name not in columns)]
        table = without_ids(self._archive.read(kind, deployment, wanted, days, where), self._erased.ids(deployment))
        return table if columns is None else table.select([name for name in columns if name in table.column_names])

    def deployments(self, kind: str) -> list[str]:
        return self._archive.deployments(kind)

    def files(self) -> list[ArchiveFile]:
        return self._archive.files()

    def write(self, kind: str, deployment: str, day: str, name: str, table: pa.Table) -> None:
        self._archive.write(kind, deployment, day, name, table)

    def replace(
        self, sources: Sequence[ArchiveFile], name: str, change: Callable[[pa.Table], pa.Table] = lambda table: table
    ) -> None:
        self._archive.replace(sources, name, change)
