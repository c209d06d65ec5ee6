import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from serving.policies.sticky import key_hash, sticky

ARMS = ["main", "canary", "third"]
KEYS = [f"user-{i}" for i in range(10_000)]
weights_of_three = st.lists(st.integers(0, 100), min_size=3, max_size=3).filter(any)


@pytest.mark.parametrize("weights", [(90, 10, 0), (20, 30, 50), (1, 1, 1)])
def test_each_arm_has_its_share_of_the_keys(weights):
    counts = [0, 0, 0]
    for key in KEYS:
        counts[sticky(key, ARMS, weights)] += 1
    expected = [10_000 * weight / sum(weights) for weight in weights]
    assert [count for count, weight in zip(counts, weights) if not weight] == [0] * weights.count(0)
    assert chisquare([c for c in counts if c], [e for e in expected if e]).pvalue > 0.01


def test_a_ramp_moves_only_the_keys_that_it_must():
    before = [sticky(key, ARMS[:2], (95, 5)) for key in KEYS]
    for canary in (10, 25, 50, 75, 100):
        after = [sticky(key, ARMS[:2], (100 - canary, canary)) for key in KEYS]
        assert all(was == 0 or now == 1 for was, now in zip(before, after)), "nobody goes back on the way up"
        before = after
    assert set(before) == {1}


@given(st.text(max_size=20), weights_of_three, st.integers(0, 2), st.integers(1, 100))
def test_a_key_only_goes_to_an_arm_that_grew(key, weights, grows, by):
    more = [weight + by * (i == grows) for i, weight in enumerate(weights)]
    before, after = sticky(key, ARMS, weights), sticky(key, ARMS, more)
    assert after in (before, grows)


def test_a_key_stays_where_it_is_whatever_else_is_asked():
    assert [sticky(key, ARMS, (1, 2, 3)) for key in KEYS[:100]] == [sticky(key, ARMS, (1, 2, 3)) for key in KEYS[:100]]
    assert sticky("\ud800", ARMS, (1, 1, 1)) in (0, 1, 2)


def test_a_keys_hash_does_not_say_it():
    assert "anna" not in key_hash("anna") and len(key_hash("anna")) == 16
    assert key_hash("anna") != key_hash("anne")
