"""What a reader of few rows is spared."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leeway.backends.row_groups import footer_of, row_groups
from leeway.interfaces import Within


@pytest.fixture
def file(tmp_path):
    table = pa.table(
        {
            "lists": [[i] for i in range(30)],
            "x": list(range(30)),
            "sparse": [None] * 20 + ["a"] * 10,
            "null": [None] * 30,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=10)
    return tmp_path / "a.parquet"


@pytest.mark.parametrize(
    ("where", "groups"),
    [
        ([Within("x", 12, 13)], [1]),
        ([Within("x", 9, 10)], [0, 1]),
        ([Within("x", low=25)], [2]),
        ([Within("x", high=9)], [0]),
        ([Within("x", 100)], []),
        ([Within("sparse")], [2]),
        ([Within("sparse", "b", "b")], []),
        ([Within("x", 5), Within("sparse", "a", "a")], [2]),
        ([Within("null")], []),
        ([Within("elsewhere")], []),
    ],
)
def test_only_groups_that_can_hold_a_row_are_named(file, where, groups):
    assert row_groups(footer_of(file), where) == groups
