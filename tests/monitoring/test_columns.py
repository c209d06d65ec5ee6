"""Rows as columns, whatever they hold and however they come together."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leeway.record import Position, RowReference
from monitoring.chunks import Chunk, from_bytes, joined, to_bytes
from monitoring.columns import columns_of, cut, take

NAMES = ["a", "b"]
FIRST = RowReference(Position(0, 1), "id", 0)


def listed(columns):
    return {name: column.tolist() if isinstance(column, np.ndarray) else column for name, column in columns.items()}


def test_numbers_and_missing_are_floats():
    columns = columns_of([[1, None], [2.5, 3]], NAMES)
    assert all(isinstance(column, np.ndarray) for column in columns.values())
    assert str(listed(columns)) == "{'a': [1.0, 2.5], 'b': [nan, 3.0]}"


def test_text_of_digits_is_no_number_and_booleans_are():
    columns = columns_of([["1.5", True], [2, False]], NAMES)
    assert listed(columns) == {"a": ["1.5", 2.0], "b": [1.0, 0.0]}


def test_rows_of_any_shape_are_taken():
    assert str(listed(columns_of([{"b": 1}, 7, [1, 2, 3], [], [[1], {}]], NAMES))) == (
        "{'b': [1.0, None, 2.0, None, '{}'], 'a': [None, 7.0, 1.0, None, '[1]'], 'f2': [nan, nan, 3.0, nan, nan]}"
    )


def test_rows_without_values_have_no_columns():
    assert columns_of([[], []], []) == {}


def test_numbers_beyond_a_float_are_infinite():
    assert listed(columns_of([[10**400, -(10**400)], [1, 2]], NAMES)) == {"a": [np.inf, 1.0], "b": [-np.inf, 2.0]}


_value = st.one_of(st.none(), st.floats(-5, 5), st.integers(-5, 5), st.booleans(), st.sampled_from(["x", "1"]))
_row = st.one_of(st.lists(_value, min_size=2, max_size=2), st.dictionaries(st.sampled_from("abc"), _value))


@given(st.lists(_row, min_size=1, max_size=12), st.sets(st.integers(1, 11)), st.booleans())
@settings(max_examples=300, deadline=None)
def test_where_rows_are_cut_shows_in_nothing(rows, cuts, stored):
    """A window is the same, to the type of each column, from one batch as from many."""

    def chunk(some):
        return Chunk(len(some), columns_of(some, NAMES), list(range(len(some))), None, FIRST)

    bounds = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    parts = [chunk(rows[start:stop]) for start, stop in pairwise(bounds)]
    if stored:
        parts = [from_bytes(to_bytes(part)) for part in parts]
    whole, pieced = joined([chunk(rows)]), joined(parts)
    assert list(whole.columns) == list(pieced.columns)
    for name, column in whole.columns.items():
        assert type(column) is type(pieced.columns[name])
        assert repr(list(column)) == repr(list(pieced.columns[name]))


def test_cut_and_take_agree():
    columns = columns_of([[i, str(i)] for i in range(5)], NAMES)
    assert listed(cut(columns, 1, 4)) == listed(take(columns, np.array([1, 2, 3])))
