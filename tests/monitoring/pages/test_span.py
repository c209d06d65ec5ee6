import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.pages.span import RANGES, BadSpan, Span

NOW = 1_700_000_000


@given(st.integers(0, 4_000_000_000), st.integers(1, 2 * RANGES["1y"]))
def test_a_span_covers_what_was_asked_in_at_most_500_whole_buckets(start, seconds):
    span = Span.of({"from": str(start), "to": str(start + seconds)}, NOW)
    assert span.start <= start < start + seconds <= span.end
    assert span.start % span.step == span.end % span.step == 0
    assert span.seconds == span.buckets * span.step
    assert span.buckets <= 502


@pytest.mark.parametrize("name", RANGES)
def test_a_named_range_ends_now_and_holds_the_last_second(name):
    span = Span.of({"range": name}, NOW)
    assert span.start <= NOW - RANGES[name] + 1 and NOW < span.end < NOW + 1 + span.step
    assert span.query == {"range": name}


def test_the_same_moments_as_seconds_and_as_text():
    assert Span.of({"from": "1700000000", "to": "1700000600"}, NOW) == Span.of(
        {"from": "2023-11-14T22:13:20", "to": "2023-11-14T22:23:20+00:00"}, NOW
    )


@pytest.mark.parametrize(
    "query",
    [
        {"range": "3"}, {"from": "soon"}, {"from": "200", "to": "100"}, {"from": "-5", "to": "5"},
        {"from": "0", "to": str(3 * RANGES["1y"])}, {"from": "1" * 400}, {"to": "9999-99-99"},
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_what_to_do(query):
    with pytest.raises(BadSpan, match=r"use|give|no time span"):
        Span.of(query, NOW)


def test_earlier_is_half_a_length_away_and_stands():
    span = Span.of({"from": "1700000000", "to": "1700003600"}, NOW)
    earlier = span.moved(-0.5)
    assert span.start - earlier.start == 1_800 and earlier.name == ""


def test_days_are_those_that_it_touches():
    assert Span.of({"from": "2023-11-14T23:59:00", "to": "2023-11-15T00:01:00"}, NOW).days == [
        "2023-11-14",
        "2023-11-15",
    ]
