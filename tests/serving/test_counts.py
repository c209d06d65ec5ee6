import multiprocessing

import pytest

from serving.counts import BLOCKS, WIDTH, Counts


@pytest.fixture
def make(tmp_path):
    made = []

    def counts():
        made.append(Counts(tmp_path / "metrics"))
        return made[-1]

    yield counts
    for each in made:
        each.close()


def test_workers_are_summed_up(make):
    one, other = make(), make()
    one.block(("a", "x"))[0] += 2
    other.block(("a", "x"))[0] += 3
    other.block(("b",))[WIDTH - 1] += 5
    for counts in (one, other):
        sums = counts.sums()
        assert sums["a", "x"][0] == 5
        assert sums["b",][WIDTH - 1] == 5


def test_the_next_worker_goes_on_with_the_file(make, tmp_path):
    first = make()
    first.block(("a",))[0] += 2
    first.close()
    second = make()
    second.block(("a",))[0] += 1
    assert second.sums()["a",][0] == 3
    assert len(list((tmp_path / "metrics").iterdir())) == 1


def test_how_much_there_is_now_is_told_by_the_living_only(make):
    one, other = make(), make()
    one.block(("depth",))[0] = 2
    other.block(("depth",))[0] = 3
    assert one.sums(living=True)["depth",][0] == 5
    other.close()
    assert one.sums(living=True)["depth",][0] == 2
    assert one.sums()["depth",][0] == 5


def test_what_does_not_fit_is_kept_by_this_worker(make):
    one, other = make(), make()
    for i in range(BLOCKS):
        one.block((str(i),))[0] = 1
    one.block(("one more",))[0] = 7
    one.block(("long" * 300,))[0] = 8
    assert one.sums()["one more",][0] == 7 and one.sums()["long" * 300,][0] == 8
    assert ("one more",) not in other.sums() and len(other.sums()) == BLOCKS


def test_a_full_file_is_begun_anew(make):
    first = make()
    for i in range(BLOCKS // 2 + 1):
        first.block((str(i),))[0] = 1
    first.close()
    assert make().sums() == {}


def test_a_file_that_is_none_is_begun_anew(make, tmp_path):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "old.counts").write_bytes(b"something else")
    counts = make()
    counts.block(("a",))[0] = 1
    assert make().sums()["a",][0] == 1


def test_without_a_disk_memory_does(tmp_path):
    (tmp_path / "file").write_text("")
    counts = Counts(tmp_path / "file" / "below")
    counts.block(("a",))[0] += 1
    assert counts.sums() == {("a",): counts.sums()["a",]} and counts.sums(living=True)["a",][0] == 1
    counts.close()


def _count(folder, times):
    counts = Counts(folder)
    block = counts.block(("a",))
    for _ in range(times):
        block[0] += 1.0


@pytest.mark.slow
def test_processes_that_end_however_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_count, args=(tmp_path, 10_000)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    counts = Counts(tmp_path)
    assert counts.sums()["a",][0] == 30_000
    counts.close()
