"""What every archive keeps, whatever it lies on."""

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from leeway.errors import StoreError
from leeway.interfaces import Within
from monitoring.compaction import drop_days

SERVERS = [pytest.param("s3", marks=[pytest.mark.slow, pytest.mark.engine("s3")])]
KEY, DAY = "leeway/model-server/elec_v1", "2026-11-24"
FOLDER = f"kind=prediction/deployment=leeway%2Fmodel-server%2Felec_v1/day={DAY}"


def rows(*offsets, **columns):
    n = len(offsets)
    return pa.table({"shard": [0] * n, "offset": offsets, "index": [0] * n, "row": [0] * n, **columns})


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


def test_other_readers_find_the_partitions(archive, archive_files):
    archive.write("prediction", KEY, DAY, "x-0-000", rows(1, 2, x=[0.5, 1.5]))
    archive.write("prediction", "leeway/f/ü b", "2026-11-25", "x-0-001", rows(3, x=[2.5]))
    files, base = archive_files
    found = ds.dataset(f"{base}/kind=prediction", filesystem=files, partitioning="hive").to_table().to_pandas()
    assert set(zip(found["deployment"], found["day"], found["x"])) == {
        (KEY, DAY, 0.5), (KEY, DAY, 1.5), ("leeway/f/ü b", "2026-11-25", 2.5),
    }  # fmt: skip
    with files.open_input_file(f"{base}/{FOLDER}/x-0-000.parquet") as file:
        assert pd.read_parquet(file)["x"].tolist() == [0.5, 1.5]


@pytest.mark.parametrize("archive_place", ["folder"], indirect=True)
def test_duckdb_reads_it_as_it_lies(archive, archive_files):
    archive.write("prediction", KEY, DAY, "x-0-000", rows(1, 2, x=[0.5, 1.5]))
    archive.write("prediction", "leeway/f/ü b", "2026-11-25", "x-0-001", rows(3, x=[2.5]))
    put(archive_files, ".0123.tmp", b"PAR1 and then the process died")
    query = "SELECT deployment, day::varchar, x FROM read_parquet(?, hive_partitioning = true) ORDER BY x"
    with duckdb.connect() as connection:
        found = connection.execute(query, [f"{archive_files[1]}/kind=prediction/**/*.parquet"]).fetchall()
    assert found == [(KEY, DAY, 0.5), (KEY, DAY, 1.5), ("leeway/f/ü b", "2026-11-25", 2.5)]


def test_what_was_left_half_written_is_not_read(archive, archive_files):
    archive.write("prediction", KEY, DAY, "a", rows(1))
    for name in (".0123.tmp", ".0123.parquet"):
        put(archive_files, name, b"PAR1 and then the process died")
    assert archive.read("prediction").num_rows == 1
    assert archive.deployments("prediction") == [KEY]


def test_a_broken_file_is_named(archive, archive_files):
    archive.write("prediction", KEY, DAY, "a", rows(1))
    put(archive_files, "a.parquet", b"PAR1")
    with pytest.raises(StoreError, match=r"a\.parquet.*move it away"):
        archive.read("prediction")


def test_files_carry_their_version_and_a_newer_one_is_refused(archive, archive_files):
    archive.write("prediction", KEY, DAY, "a", rows(1))
    files, base = archive_files
    path = f"{base}/{FOLDER}/a.parquet"
    with files.open_input_file(path) as file:
        assert pq.read_schema(file).metadata[b"leeway.version"] == b"1"
    assert archive.read("prediction").schema.metadata is None
    with files.open_output_stream(path) as file:
        pq.write_table(rows(1).replace_schema_metadata({"leeway.version": "9"}), file)
    with pytest.raises(StoreError, match="has version 9, this Leeway reads 1: use the Leeway that wrote it"):
        archive.read("prediction")
    with files.open_output_stream(path) as file:
        pq.write_table(rows(1), file)
    with pytest.raises(StoreError, match=r"a\.parquet.* has no version, so no Leeway wrote it: move it away"):
        archive.read("prediction")


def test_a_file_of_many_parts_is_whole(archive):
    noise = [bytes(range(256)) * 64 * 64 + i.to_bytes(2) for i in range(12)]
    table = rows(*range(12), x=pa.array([each + bytes(hash((each, j)) & 255 for j in range(9)) for each in noise]))
    archive.write("prediction", KEY, DAY, "a", table)
    assert archive.read("prediction")["x"].to_pylist() == table["x"].to_pylist()


def test_files_are_replaced_by_one(archive):
    for name, offsets in (("a", (1, 2)), ("b", (3,)), ("c", (4,))):
        archive.write("prediction", KEY, DAY, name, rows(*offsets, x=list(offsets)))
    archive.write("feedback", KEY, DAY, "a", rows(9))
    files = archive.files()
    assert [each[:4] for each in files] == [
        ("feedback", KEY, DAY, "a"), *(("prediction", KEY, DAY, name) for name in "abc")
    ]  # fmt: skip
    assert all(each.size > 100 for each in files)
    archive.replace(files[1:3], "merged")
    assert [each.name for each in archive.files()] == ["a", "c", "merged"]
    assert archive.read("prediction")["x"].to_pylist() == [1, 2, 3, 4]
    archive.replace(archive.files()[1:], "c", lambda table: table.filter(pa.compute.less(table["x"], 4)))
    assert archive.read("prediction")["x"].to_pylist() == [1, 2, 3]
    archive.replace(archive.files()[1:], "none", lambda table: table.slice(0, 0))
    assert [each.kind for each in archive.files()] == ["feedback"]


@pytest.mark.parametrize("archive_place", SERVERS, indirect=True)
def test_a_server_that_goes_away_has_everything_when_it_is_back(archive, archive_place, away):
    archive.write("prediction", KEY, DAY, "a", rows(1))
    with away(archive_place.server):
        with pytest.raises(StoreError, match="archive s3://"):
            archive.write("prediction", KEY, DAY, "b", rows(2))
        with pytest.raises(StoreError):
            archive.read("prediction")
    archive.write("prediction", KEY, DAY, "b", rows(2))
    assert archive.read("prediction")["offset"].to_pylist() == [1, 2]


@pytest.mark.parametrize("archive_place", ["folder", *SERVERS], indirect=True)
def test_of_a_process_that_is_killed_a_file_is_there_whole_or_not_at_all(archive, archive_place, killed):
    def numbers():
        return archive.read("note")["x"].to_pylist() if archive.files() else []

    def check():
        for number in set(found := numbers()):
            assert found.count(number) == 300

    killed(archive_place, "archive", lambda: max(numbers(), default=0) > 10, check)
    archive.write("note", "p/f/d", "2026-11-24", "f0", rows(1, x=[7]))
    assert 7 in numbers()


def test_days_beyond_what_is_kept_are_dropped(archive):
    for offset, day in enumerate(("2026-11-01", "2026-11-20", DAY)):
        archive.write("prediction", KEY, day, f"f{offset}", rows(offset))
    assert drop_days(archive, 10) == 1
    assert [each.day for each in archive.files()] == ["2026-11-20", DAY]
    assert archive.read("prediction")["offset"].to_pylist() == [1, 2]


def put(archive_files, name, data):
    files, base = archive_files
    with files.open_output_stream(f"{base}/{FOLDER}/{name}") as file:
        file.write(data)


def test_only_the_rows_that_are_asked_for_come_back(archive):
    texts = pa.array(["a", "b", None, "a"])
    archive.write("prediction", KEY, DAY, "a", rows(1, 2, 3, 4, x=[1, 2, 3, 4], id=texts))
    archive.write("prediction", KEY, DAY, "b", rows(5, 6, x=[5, 6]))

    def found(*where):
        table = archive.read("prediction", columns=["x"], where=where)
        return table.to_pydict().get("x", [])

    assert found(Within("offset", 2, 5)) == [2, 3, 4, 5]
    assert found(Within("offset", low=4)) == [4, 5, 6]
    assert found(Within("offset", high=1)) == [1]
    assert found(Within("id", "a", "a"), Within("offset", 2)) == [4]
    assert found(Within("id")) == [1, 2, 4]
    assert found(Within("nowhere", 1)) == found(Within("offset", 7, 9)) == []
    assert archive.read("prediction", where=[Within("x", 6, 6)])["offset"].to_pylist() == [6]


def test_rows_are_found_among_many(archive):
    n = 50_000
    ids = [f"id-{i:05d}" for i in range(n)]
    archive.write("prediction", KEY, DAY, "a", rows(*range(n), id=ids, tags=[[i] for i in range(n)]))
    table = archive.read("prediction", columns=["offset", "tags"], where=[Within("id", "id-20000", "id-20002")])
    assert table.to_pydict() == {"offset": [20_000, 20_001, 20_002], "tags": [[20_000], [20_001], [20_002]]}


def test_rows_of_different_streams_may_have_one_position(archive):
    for key in ("p/f/a", "p/f/b"):
        table = pa.table({"shard": [0, 0], "offset": [1, 2], "index": [0, 0], "row": [0, 0], "of": [key, key]})
        archive.write("prediction", key, "2026-11-24", "n", table)
        archive.write("prediction", key, "2026-11-24", "twice", table)
    assert archive.read("prediction")["of"].to_pylist() == ["p/f/a", "p/f/b"] * 2
    assert archive.read("prediction", "p/f/a")["offset"].to_pylist() == [1, 2]
