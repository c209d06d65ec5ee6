from math import nan

import pytest

from serving.most_probable import most_probable


@pytest.mark.parametrize(
    ("rows", "classes", "expected"),
    [
        ([[0.4, 0.6], [0.6, 0.4], [0.5, 0.5], [nan, 0.5], [0.5, nan]], ["no", "yes"], ["yes", "no", "no", "no", "no"]),
        ([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.4, 0.2, 0.4]], [7, 8, 9], [8, 9, 7]),
        ([[1.0]], ["only"], ["only"]),
        ([], ["no", "yes"], []),
    ],
)
def test_the_largest_counts_and_of_equals_the_first(rows, classes, expected):
    assert most_probable(rows, classes) == expected
