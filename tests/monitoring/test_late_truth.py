"""Truth after the bound is joined from the archive, once, and only what the stream did not join."""

import pytest

from monitoring.erase import erase
from monitoring.error_level import mismatches
from monitoring.late_truth import errors_of, late_truth

KEY = "shop/server/a"


@pytest.fixture
def reader(maker, make_reader):
    reader = make_reader(labels_age_s=100)
    maker.truth("a", "early", [1])
    for id in ("in-time", "late", "early", "never"):
        maker.predict("a", id, [[0.9, 0.5, 0.5], [0.1, 0.5, 0.5]])
    maker.truth("a", "in-time", [1, 0])
    maker.appended += 1_000
    maker.truth("a", "late", [0], rows=[1])
    maker.truth("a", "late", [1], rows=[1])
    maker.truth("a", "late", [0], rows=[0])
    maker.truth("a", "in-time", [1])
    maker.truth("a", "nobody", [1])
    reader.consumer().consume(maker.messages)
    return reader


def test_late_truth_finds_its_predictions_in_the_archive(reader):
    for _ in range(2):
        table = late_truth(reader.archive, KEY)
        found = [(row["id"], row["row"], row["output"], row["truth"]) for row in table.to_pylist()]
        assert found == [("late", 0, 1, "0"), ("late", 1, 0, "0")]
        assert reader.table("late_truth") == table.to_pylist()
    assert errors_of(table, mismatches).tolist() == [1, 0]
    assert erase(reader.archive, KEY, ["late"])["late_truth"] == 2


def test_where_nothing_was_late_nothing_is_written(make_reader):
    reader = make_reader()
    table = late_truth(reader.archive, KEY)
    assert table.num_rows == 0
    assert reader.table("late_truth") == []
