import os
from concurrent.futures import ThreadPoolExecutor
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


def test_a_file_lies_where_other_readers_look_for_it(archive, home):
    archive.write("prediction", KEY, DAY, "x-0-000", rows(1))
    folder = home / "archive" / "kind=prediction" / "deployment=leeway%2Fmodel-server%2Felec_v1" / f"day={DAY}"
    assert [path.name for path in folder.iterdir()] == ["x-0-000.parquet"]
    assert pq.ParquetFile(folder / "x-0-000.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    assert archive.deployments("prediction") == [KEY]


def test_rows_come_back_in_the_order_of_their_positions(archive):
    archive.write("prediction", KEY, "2026-11-25", "a", rows(9, 3, x=[9, 3]))
    archive.write("prediction", KEY, DAY, "b", rows(5, 1, x=[5, 1]))
    archive.write("prediction", "leeway/f/other", DAY, "b", rows(4, x=[4]))
    assert archive.read("prediction")["x"].to_pylist() == [1, 3, 4, 5, 9]
    assert archive.read("prediction", KEY)["x"].to_pylist() == [1, 3, 5, 9]
    assert archive.read("prediction", KEY, days=["2026-11-25"])["x"].to_pylist() == [3, 9]


def test_nothing_there_is_an_empty_table(archive):
    assert archive.read("prediction").num_rows == 0
    assert archive.deployments("prediction") == []


def test_a_file_of_equal_name_is_replaced(archive):
    archive.write("prediction", KEY, DAY, "a", rows(1, 2))
    archive.write("prediction", KEY, DAY, "a", rows(3))
    assert archive.read("prediction")["offset"].to_pylist() == [3]


def test_rows_in_two_files_are_read_once(archive):
    archive.write("prediction", KEY, DAY, "range", rows(1, 2, x=["a", "b"]))
    archive.write("prediction", KEY, DAY, "compacted", rows(1, 2, 3, x=["a", "b", "c"]))
    assert archive.read("prediction")["x"].to_pylist() == ["a", "b", "c"]


def test_rows_without_a_row_number_are_all_kept(archive):
    archive.write("note", KEY, DAY, "a", pa.table({"shard": [0, 0], "offset": [1, 1], "index": [0, 0], "x": [2, 1]}))
    assert archive.read("note")["x"].to_pylist() == [2, 1]


def test_columns_are_chosen_and_unknown_ones_left_out(archive):
    archive.write("prediction", KEY, DAY, "a", rows(2, 1, x=[2, 1], y=[0, 0]))
    archive.write("prediction", KEY, DAY, "b", rows(3, z=[0]))
    table = archive.read("prediction", columns=["x", "nowhere"])
    assert table.to_pydict() == {"x": [1, 2, None]}


@pytest.mark.parametrize(
    ("first", "second", "unified"),
    [
        (pa.array([1]), pa.array([1.5]), [1, 1.5]),
        (pa.array([None], pa.null()), pa.array(["a"]), [None, "a"]),
        (pa.array([None], pa.null()), pa.array([[1.5]]), [None, [1.5]]),
        (pa.array([2**60 + 1]), pa.array([0.5]), [float(2**60 + 1), 0.5]),
        (pa.array(["a"]), pa.array([7]), ["a", "7"]),
        (pa.array([True]), pa.array(["x"]), ["true", "x"]),
        (pa.array([[1, 2]]), pa.array(["x"]), ["[1,2]", "x"]),
        (pa.array([True]), pa.array([3]), ["true", "3"]),
    ],
)
def test_files_whose_column_types_differ_are_read_together(archive, first, second, unified):
    archive.write("prediction", KEY, DAY, "a", rows(1, x=first))
    archive.write("prediction", KEY, DAY, "b", rows(2, x=second))
    assert archive.read("prediction")["x"].to_pylist() == unified


def test_a_column_that_a_file_lacks_is_null_there(archive):
    archive.write("prediction", KEY, DAY, "a", rows(1, x=[1]))
    archive.write("prediction", KEY, DAY, "b", rows(2, y=["b"]))
    table = archive.read("prediction")
    assert table.column_names == ["shard", "offset", "index", "row", "x", "y"]
    assert table.select(["x", "y"]).to_pylist() == [{"x": 1, "y": None}, {"x": None, "y": "b"}]


def test_what_was_left_half_written_is_not_read(archive, home):
    archive.write("prediction", KEY, DAY, "a", rows(1))
    folder = next((home / "archive").rglob("a.parquet")).parent
    (folder / ".0123.tmp").write_bytes(b"PAR1 and then the process died")
    (folder / ".0123.parquet").write_bytes(b"PAR1")
    assert archive.read("prediction").num_rows == 1
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


def test_a_broken_file_is_named(archive, home):
    archive.write("prediction", KEY, DAY, "a", rows(1))
    path = next((home / "archive").rglob("a.parquet"))
    path.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"a\.parquet.*move it away"):
        archive.read("prediction")


@pytest.mark.parametrize(("day", "name"), [("today", "a"), (DAY, "../a"), (DAY, ".a"), (DAY, "")])
def test_a_day_or_name_that_would_hide_the_file_is_refused(archive, day, name):
    with pytest.raises(StoreError, match="YYYY-MM-DD and a bare name"):
        archive.write("prediction", KEY, day, name, rows(1))


def test_a_reader_beside_a_writer_sees_whole_files_only(archive):
    def write():
        for i in range(60):
            archive.write("prediction", KEY, DAY, f"f{i % 7}", rows(*range(100), x=[i] * 100))

    with ThreadPoolExecutor() as pool:
        writing, counts = pool.submit(write), []
        while not writing.done():
            counts.append(archive.read("prediction").num_rows)
        writing.result()
    assert set(counts) <= {0, 100} and 100 in counts


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


def test_files_carry_their_version_and_a_newer_one_is_refused(archive, home):
    archive.write("prediction", KEY, DAY, "a", rows(1))
    (path,) = home.rglob("a.parquet")
    assert pq.read_schema(path).metadata[b"leeway.version"] == b"1"
    assert archive.read("prediction").schema.metadata is None
    pq.write_table(rows(1).replace_schema_metadata({"leeway.version": "9"}), path)
    with pytest.raises(StoreError, match="has version 9, this Leeway reads 1: use the Leeway that wrote it"):
        archive.read("prediction")
