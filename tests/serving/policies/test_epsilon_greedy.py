import pytest
from hypothesis import given
from hypothesis import strategies as st

from leeway.desired import Reward
from serving.policies.epsilon_greedy import epsilon_greedy

arms = st.lists(st.builds(Reward, st.integers(0, 50), st.floats(-5, 50), st.just(0.0)), min_size=1, max_size=6)


@given(arms, st.floats(0, 1))
def test_the_probabilities_add_up(rewards, epsilon):
    found = epsilon_greedy(rewards, epsilon)
    assert sum(found) == pytest.approx(1) and min(found) >= 0


def test_the_best_arm_has_all_but_epsilon():
    assert epsilon_greedy([Reward(4, 1.0, 1.0), Reward(2, 1.5, 1.5), Reward()], 0.1) == pytest.approx([0.05, 0.9, 0.05])


def test_equals_share_it():
    assert epsilon_greedy([Reward(), Reward()], 0.3) == pytest.approx([0.5, 0.5])
    found = epsilon_greedy([Reward(2, 2.0, 2.0), Reward(1, 1.0, 1.0), Reward()], 0.2)
    assert found == pytest.approx([0.45, 0.45, 0.1])


def test_an_only_arm_is_always_chosen():
    assert epsilon_greedy([Reward(3, 0.0, 0.0)], 0.5) == [1.0]
