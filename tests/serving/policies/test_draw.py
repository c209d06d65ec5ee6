from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from serving.policies.draw import draw

shares = st.lists(st.integers(0, 100), min_size=1, max_size=5).filter(any)


@pytest.mark.parametrize("weights", [(90, 10), (50, 50), (1, 99), (20, 30, 50), (0.5, 0.5)])
def test_ten_thousand_draws_have_their_shares(weights):
    random, among = Random(11), draw(weights)
    counts = [0] * len(weights)
    for _ in range(10_000):
        counts[among(random.random())[0]] += 1
    assert chisquare(counts, [10_000 * weight / sum(weights) for weight in weights]).pvalue > 0.01


@given(shares, st.floats(0, 1, exclude_max=True))
def test_what_is_drawn_has_a_weight_and_says_its_share(weights, at):
    index, share = draw(weights)(at)
    assert weights[index] > 0
    assert share == weights[index] / sum(weights)
