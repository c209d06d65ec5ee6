import numpy as np
import pytest

from serving.errors import BadRequest
from serving.models.numeric_rows import LARGEST, NumericRows

STRICT, LENIENT = NumericRows(2, False, ["a", "b"]), NumericRows(2, True)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[1, 2]], [[1.0, 2.0]]),
        ([[1, 2.5], [True, -0.0]], [[1.0, 2.5], [1.0, -0.0]]),
        ([[LARGEST, -LARGEST]], [[LARGEST, -LARGEST]]),
        ([[10**30, 1]], [[1e30, 1.0]]),
    ],
)
@pytest.mark.parametrize("check", [STRICT, LENIENT])
def test_numbers_pass(check, rows, expected):
    matrix = check.matrix(rows)
    assert matrix.dtype == np.float64
    assert matrix.tolist() == expected


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_null_is_for_models_that_take_it(missing):
    assert np.isnan(LENIENT.matrix([[1, missing]])[0, 1])
    with pytest.raises(BadRequest, match=r"row 0, column 1 \(b\) is null"):
        STRICT.matrix([[1, missing]])


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[1, 2], [3]], "row 1 has 1 values; the model takes 2 numbers"),
        ([[1, 2, 3]], "row 0 has 3 values"),
        ([[]], "row 0 has 0 values"),
        ([1, 2], "row 0 is 1; expected a list"),
        ([{"a": 1, "b": 2}], "row 0 is {'a'"),
        ([[1, "2"]], r"column 1( \(b\))? is '2'; expected a number"),
        ([["1", "2"]], "is '1'; expected a number"),
        ([[1, [2]]], r"is \[2\]; expected a number"),
        ([[[1], [2]]], r"is \[1\]; expected a number"),
        ([[1, 1e39]], "is 1e"),
        ([[float("inf"), 1]], "is inf"),
        ([[10**400, 1]], "expected a number up to 3.4e"),
        ([[1, "x" * 1000]], "…; expected a number"),
    ],
)
@pytest.mark.parametrize("check", [STRICT, LENIENT])
def test_the_rest_is_refused_with_its_place(check, rows, says):
    with pytest.raises(BadRequest, match=says):
        check.matrix(rows)
