"""The archive in a folder: where files lie, and that none is seen before it is whole."""

import os
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.backends.parquet_archive import ParquetArchive
from leeway.backends.unify_tables import unify_tables
from leeway.errors import StoreError
from leeway.files import OsFiles

KEY, DAY = "leeway/model-server/elec_v1", "2026-11-24"


def rows(*offsets, **columns):
    n = len(offsets)
    return pa.table({"shard": [0] * n, "offset": offsets, "index": [0] * n, "row": [0] * n, **columns})


@pytest.fixture
def archive(home):
    return ParquetArchive(home / "archive")


def test_a_file_lies_where_other_readers_look_for_it(archive, home):
    archive.write("prediction", KEY, DAY, "x-0-000", rows(1))
    folder = home / "archive" / "kind=prediction" / "deployment=leeway%2Fmodel-server%2Felec_v1" / f"day={DAY}"
    assert [path.name for path in folder.iterdir()] == ["x-0-000.parquet"]
    assert pq.ParquetFile(folder / "x-0-000.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    assert archive.deployments("prediction") == [KEY]


def test_a_file_is_not_seen_before_it_is_whole(home):
    class Watched(OsFiles):
        seen: ClassVar[list[int]] = []

        def pwrite(self, fd, data, offset):
            written = os.pwrite(fd, data[:10], offset) + os.pwrite(fd, data[10:], offset + 10)
            self.seen.append(archive.read("prediction").num_rows)
            return written

    archive = ParquetArchive(home, Watched())
    archive.write("prediction", KEY, DAY, "a", rows(1))
    archive.write("prediction", KEY, DAY, "a", rows(2, 3))
    assert Watched.seen == [0, 1]
    assert archive.read("prediction").num_rows == 2


def test_a_full_disk_leaves_neither_a_file_nor_rubbish(home, small_disk):
    archive = ParquetArchive(home, small_disk)
    small_disk.room = 100
    with pytest.raises(StoreError, match="no space left"):
        archive.write("prediction", KEY, DAY, "a", rows(1))
    assert [path for path in home.rglob("*") if path.is_file()] == []


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 1), st.integers(0, 2)), max_size=8),
        min_size=1, max_size=4,
    )
)  # fmt: skip
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_position_is_there_once_and_in_order(parts):
    names = ("shard", "offset", "index", "row")
    tables = [pa.table({n: pa.array([p[i] for p in part], pa.int64()) for i, n in enumerate(names)}) for part in parts]
    found = [tuple(row.values()) for row in unify_tables(tables).to_pylist()]
    assert found == sorted({position for part in parts for position in part})
