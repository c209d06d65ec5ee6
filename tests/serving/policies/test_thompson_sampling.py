import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leeway.desired import Reward
from serving.policies.thompson_sampling import thompson_sampling


@st.composite
def reward(draw):
    tries = draw(st.integers(0, 100_000))
    successes = draw(st.floats(0, tries))
    return Reward(tries, successes, successes)


@settings(max_examples=60, deadline=None)
@given(st.lists(reward(), min_size=1, max_size=5))
def test_the_probabilities_add_up(rewards):
    found = thompson_sampling(rewards)
    assert sum(found) == pytest.approx(1) and min(found) >= 0


POSTERIORS = [
    [(0, 0), (0, 0), (0, 0)],
    [(3, 10), (5, 10)],
    [(30, 100), (35, 100), (1, 2)],
    [(2_000, 10_000), (2_050, 10_000)],
]


@pytest.mark.parametrize("counts", POSTERIORS)
def test_an_arm_is_chosen_as_often_as_a_draw_from_its_posterior_is_the_largest(counts):
    random, draws = np.random.default_rng(3), 200_000
    samples = [random.beta(1 + good, 1 + tries - good, draws) for good, tries in counts]
    expected = np.bincount(np.argmax(samples, axis=0), minlength=len(counts)) / draws
    found = thompson_sampling([Reward(tries, good, good) for good, tries in counts])
    assert found == pytest.approx(expected.tolist(), abs=0.005)


def test_a_clear_winner_has_it_all():
    assert thompson_sampling([Reward(1_000, 900.0, 900.0), Reward(1_000, 100.0, 100.0)]) == pytest.approx([1, 0])
