import pytest

from serving.errors import ModelFailed
from serving.policies.combine import average, vote
from serving.types import Prediction


def test_the_mean_of_numbers_is_taken_element_by_element():
    assert average([Prediction([1, 2]), Prediction([3.0, 5.0])]).outputs == [2.0, 3.5]
    assert average([Prediction([[1, 0]]), Prediction([[0, 1]]), Prediction([[2, 2]])]).outputs == [[1.0, 1.0]]


def test_classifiers_with_the_same_classes_agree_on_the_most_probable_one():
    first = Prediction(["a"], [[0.9, 0.1]], classes=["a", "b"])
    second = Prediction(["b"], [[0.2, 0.8]], classes=["a", "b"])
    mean = average([first, second, second])
    assert mean.outputs == ["b"]
    assert mean.probabilities[0] == pytest.approx([1.3 / 3, 1.7 / 3])


def test_classes_that_differ_leave_the_outputs():
    first = Prediction([1], [[0.9, 0.1]], classes=[1, 2])
    assert average([first, Prediction([2], [[0.2, 0.8]], classes=[2, 3])]).outputs == [1.5]


@pytest.mark.parametrize("other", [["up"], [[1, 2]], [1, 2], [None, 1]])
def test_what_has_no_mean_is_told(other):
    with pytest.raises(ModelFailed, match="no mean of"):
        average([Prediction([1.0]), Prediction(other)])


def test_the_majority_wins_row_by_row_and_the_first_of_equals():
    said = vote([Prediction(["a", "x", [1]]), Prediction(["b", "y", [2]]), Prediction(["b", "z", [1]])])
    assert said.outputs == ["b", "x", [1]]


def test_a_vote_needs_the_same_rows():
    with pytest.raises(ModelFailed, match="no vote on 1, 2 rows"):
        vote([Prediction([1]), Prediction([1, 2])])
