"""What an error is, for two classes, for many, and for numbers."""

import numpy as np
import pandas as pd
import pytest

from leeway.errors import ProfileError
from leeway.profile import MULTICLASS, REGRESSION, Profile
from monitoring.error_level import error_level_from, error_of, sequence_of
from monitoring.reference import profile_of


def profile(frame, answers, **given):
    return profile_of(frame, features=["x"], label="y", predict=lambda _: np.array(answers), **given)


def test_of_many_classes_each_answer_that_is_not_the_truth_is_an_error():
    classes = ["cat", "dog", "owl"] * 40
    answers = [*classes[:90], *["cat"] * 30]
    made = profile(pd.DataFrame({"x": np.arange(120.0), "y": classes}), answers, held_out=slice(60, None))
    assert made.task == MULTICLASS
    assert (made.errors.rows, made.errors.errors) == (60, 20)
    assert error_of(made)(["cat", "dog", None, ["owl"]], ["cat", "owl", "owl", "owl"]).tolist() == [0, 1, 1, 0]


def test_equal_numbers_are_equal_whatever_their_type():
    errors = error_of(Profile(task=MULTICLASS, rows=0, window_rows=0, features=[]))
    assert errors([1, 1.0, "1", True], [1.0, "1", 1, 1]).tolist() == [0, 0, 0, 0]
    assert errors(np.array([0, 1, 2]), [0, 1, 3]).tolist() == [0, 0, 1]


def test_a_number_is_wrong_beyond_what_nine_of_ten_residuals_kept_to():
    rng = np.random.default_rng(0)
    x = rng.normal(size=4_000)
    frame = pd.DataFrame({"x": x, "y": x + rng.normal(0, 2, 4_000)})
    made = profile(frame, x, held_out=slice(2_000, None))
    assert made.task == REGRESSION
    assert made.tolerance == pytest.approx(1.645 * 2, rel=0.05)
    assert made.errors.level == pytest.approx(0.1, abs=0.001)
    answers, truths = [1.5, 1.5, None, "n/a"], [1.5 + made.tolerance, 1.6 + made.tolerance, 1.0, 1.0]
    assert error_of(made)(answers, truths).tolist() == [0, 1, 1, 1]
    assert profile(frame, x, tolerance=0.5).tolerance == 0.5


def test_a_level_keeps_its_errors_in_their_order_and_says_whether_they_come_in_bursts():
    errors = np.random.default_rng(1).random(3_001) < 0.2
    level = error_level_from(errors)
    assert (sequence_of(level) == errors).all()
    assert (level.rows, level.errors, level.inflation, level.source) == (3_001, errors.sum(), 1.0, "warming")
    assert error_level_from(np.sort(errors)).inflation > 10


def test_what_says_nothing_of_errors_is_refused():
    with pytest.raises(ProfileError, match="no rows"):
        error_level_from(np.empty(0))
    with pytest.raises(ProfileError, match="no tolerance"):
        error_of(Profile(task=REGRESSION, rows=0, window_rows=0, features=[]))
