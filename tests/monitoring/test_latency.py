"""Quantiles from counts."""

import math

import numpy as np
import pytest

from monitoring.latency import edges_us, histogram, quantile_us


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_quantiles_are_right_within_a_bin(q):
    latencies_us = np.random.default_rng(1).lognormal(7, 1, 20_000)
    found = quantile_us(histogram(latencies_us), q)
    assert found == pytest.approx(np.quantile(latencies_us, q), rel=0.09)


def test_every_latency_lies_between_the_edges_of_its_bin():
    for latency_us in (0, 1, 2, 3, 999, 10**9):
        (number,) = histogram(np.array([latency_us]))
        low, high = edges_us(number)
        assert low <= max(latency_us, 1) < high


def test_sums_of_histograms_give_the_quantiles_of_all():
    first, second = np.arange(1, 500), np.arange(5_000, 9_000)
    total = histogram(first)
    for number, count in histogram(second).items():
        total[number] = total.get(number, 0) + count
    assert total == histogram(np.concatenate([first, second]))


def test_an_empty_histogram_has_no_quantile():
    assert math.isnan(quantile_us({}, 0.5))
