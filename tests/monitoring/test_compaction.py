"""The archive's files become fewer, and say the same."""

import pyarrow as pa
import pytest

from leeway.backends import connect
from leeway.interfaces import ArchiveFile
from leeway.settings import Settings
from monitoring.compaction import compact, drop_days, mergeable, merged_name
from monitoring.erase import EraseList, erase
from monitoring.keeper import Keeper

KEY = "shop/server/a"


@pytest.fixture
def archive(tmp_path):
    return connect.archive(Settings(home=tmp_path))


def write(archive, offset, n=3, day="2026-11-24", kind="prediction", prefix="ab-0"):
    table = pa.table({
        "shard": [0] * n, "offset": [offset] * n, "index": [0] * n, "row": list(range(n)), "x": [offset] * n,
        "id": [f"r{offset}"] * n,
    })  # fmt: skip
    archive.write(kind, KEY, day, f"{prefix}-{offset:016d}", table)


def names(archive):
    return [file.name for file in archive.files()]


def test_eight_files_become_one_with_the_same_rows(archive):
    for offset in range(7):
        write(archive, offset)
    assert compact(archive, ["ab-0-"]) == 0
    write(archive, 7)
    before = archive.read("prediction")
    assert compact(archive, ["ab-0-"]) == 8
    assert names(archive) == [f"ab-0-{0:016d}-to-{7:016d}"]
    assert archive.read("prediction").equals(before)


def test_files_of_another_consumer_are_left_alone(archive):
    for offset in range(8):
        write(archive, offset, prefix="cd-1")
    assert compact(archive, ["ab-0-"]) == 0
    assert compact(archive, []) == 0


def test_a_file_that_a_stale_writer_revives_does_no_harm(archive):
    for offset in range(8):
        write(archive, offset)
    before = archive.read("prediction")
    compact(archive, ["ab-0-"])
    write(archive, 3)
    assert archive.read("prediction").equals(before)
    write(archive, 9, day="2026-11-25")  # the day is over, and what is left of it is merged
    compact(archive, ["ab-0-"])
    assert names(archive)[:-1] == [f"ab-0-{0:016d}-to-{7:016d}"]
    assert archive.read("prediction", days=["2026-11-24"]).equals(before)


def test_large_files_are_done_with_and_the_rest_grows_in_classes():
    def file(offset, size):
        return ArchiveFile("prediction", KEY, "2026-11-24", f"ab-0-{offset:016d}", size)

    small, large = [file(i, 10_000) for i in range(8)], [file(100 + i, 20 << 20) for i in range(9)]
    assert mergeable(small + large) == [small]
    middle = [file(i, 1 << 20) for i in range(200, 207)]
    assert mergeable(middle + small[:7]) == []
    many = [file(i, 4 << 20) for i in range(12)]
    assert [len(group) for group in mergeable(many)] == [4, 4, 4]
    assert merged_name(many) == f"ab-0-{0:016d}-to-{11:016d}"


def test_days_beyond_what_is_kept_go(archive):
    for day in (1, 20, 21, 24):
        write(archive, day, day=f"2026-11-{day:02d}")
    assert drop_days(archive, 4) == 2
    assert sorted(set(archive.read("prediction")["offset"].to_pylist())) == [21, 24]


def test_a_keeper_does_all_of_it_and_survives_a_store_that_refuses(tmp_path, archive):
    settings, said = Settings(home=tmp_path, archive_days=2), []
    for offset in range(8):
        write(archive, offset)
    write(archive, 8, day="2026-11-01")
    series = connect.series(settings)
    Keeper(settings, archive, series, lambda: ["ab-0-"], said.append).keep()
    assert len(archive.files()) == 1
    for offset in range(10, 18):
        write(archive, offset)
    next(tmp_path.rglob("*-0000000000000012.parquet")).write_bytes(b"no Parquet")
    Keeper(settings, archive, series, lambda: ["ab-0-"], said.append).keep()
    assert len(said) == 1
    assert "is no whole Parquet file" in said[0]
    assert len(archive.files()) == 9
    series.close()


def test_what_is_erased_is_in_no_file_any_more(archive, tmp_path):
    for offset in range(4):
        write(archive, offset)
    feedback = pa.table({"shard": [0, 0], "offset": [5, 6], "index": [0, 0], "row": [0, 0], "request_id": ["r1", "x"]})
    archive.write("feedback", KEY, "2026-11-24", "ab-0-5", feedback)
    assert erase(archive, KEY, ["r1", "r2", "nobody"]) == {"feedback": 1, "prediction": 6}
    assert set(archive.read("prediction")["id"].to_pylist()) == {"r0", "r3"}
    assert archive.read("feedback")["request_id"].to_pylist() == ["x"]
    assert erase(archive, KEY, ["r1"]) == {}
    assert not any(b"r1" in path.read_bytes() for path in tmp_path.rglob("*.parquet"))


def test_what_comes_again_under_erased_ids_is_taken_out_again(tmp_path, archive):
    settings = Settings(home=tmp_path)
    shared, series = connect.state(settings, "shared"), connect.series(settings)
    erased = EraseList(shared)
    erased.add(KEY, ["r1"])
    erased.add(KEY, ["r2"])
    assert (erased.deployments(), erased.ids(KEY), erased.ids("another")) == ([KEY], {"r1", "r2"}, frozenset())
    for offset in range(8):
        write(archive, offset)
    assert compact(archive, ["ab-0-"], erased=erased.ids) == 8
    assert {"r1", "r2"}.isdisjoint(archive.read("prediction")["id"].to_pylist())
    write(archive, 1)  # a writer that was late revives a file
    Keeper(settings, archive, series, lambda: [], pytest.fail, erased).keep()
    left = archive.read("prediction")["id"].to_pylist()
    assert {"r1", "r2"}.isdisjoint(left) and "r3" in left
    shared.close()
    series.close()
