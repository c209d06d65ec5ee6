import numpy as np
import pytest

from monitoring.detectors.values import NUMBER, TEXT, category, counted, numbers_of, other_types, type_of


def test_equal_numbers_are_one_category_whatever_their_type():
    assert {category(value) for value in (True, 1, 1.0, np.int8(1), np.float64(1), np.bool_(True))} == {"1"}
    assert category("1") == "1"
    assert category(0.1) == "0.1"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), np.float32("nan")])
def test_what_is_not_there_is_no_category(value):
    assert category(value) is None
    assert type_of(value) is None


def test_text_that_looks_like_a_number_is_text():
    assert type_of("1.5") is TEXT
    assert type_of(False) is NUMBER
    assert np.isnan(numbers_of(["1.5", 2.0])).tolist() == [True, False]
    assert other_types(["1.5", 2.0, None, True]) == 1


def test_counts_are_those_of_values_not_of_objects():
    assert counted([float("nan"), float("nan"), None, 1.0, True, "x"]) == ({"1": 2, "x": 1}, {NUMBER: 2, TEXT: 1})
    assert counted(np.array([2.0, np.nan, 2.0])) == ({"2": 2}, {NUMBER: 2})


def test_nested_values_are_text():
    assert counted([[1, 2], [1, 2], {"a": 1}]) == ({"[1, 2]": 2, "{'a': 1}": 1}, {TEXT: 3})


def test_columns_of_every_form_give_the_same_numbers():
    for column in (np.array([1, 0]), np.array([True, False]), [1.0, 0.0], [True, False], [1, 0]):
        assert numbers_of(column).tolist() == [1.0, 0.0]
