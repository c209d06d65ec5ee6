import numpy as np
import pytest

from leeway.record import Position, RowReference
from monitoring.history import endpoint_since, history_of
from monitoring.reconciliation import Baseline

ENDPOINT = "shop/server/a/default/a/v1"


@pytest.fixture
def history(drifted):
    return history_of(drifted.queries, ENDPOINT)


def test_rows_keep_the_callers_own_time(history):
    assert history.times[[0, 1, -1]].tolist() == [
        np.datetime64(text, "us").item() for text in ("2026-01-01T00:00", "2026-01-01T01:00", "2026-04-10T23:00")
    ]


def test_rows_without_a_time_of_their_own_have_that_of_the_request(run, maker):
    maker.predict("a", "x")
    run.take(maker)
    history = history_of(run.queries, ENDPOINT)
    assert history.times.tolist() == [np.datetime64("2026-11-24T12:00:00", "us").item()]


def test_a_reference_finds_its_row_among_requests_of_several_rows(run, maker):
    maker.predict("a", "x", [[0.1] * 3] * 3)
    maker.append(maker.prediction("a", "y"), maker.prediction("a", "z", [[0.1] * 3] * 2))
    run.take(maker)
    history = history_of(run.queries, ENDPOINT)
    assert history.number_of(RowReference(Position(0, 0, 0), "x", 2)) == 2
    assert history.number_of(RowReference(Position(0, 1, 1), "z", 1)) == 5


def test_verdicts_name_the_rows_that_drifted(history):
    alarms = [verdict for verdict in history.windows if verdict.features]
    assert history.number_of(alarms[0].first) == 1_200
    assert all("demand" in verdict.features for verdict in alarms)
    assert 1_200 < history.number_of(history.concept_alarms[0].last) < 1_400


def test_a_feature_that_alarms_is_at_least_one_gate_from_the_reference(history):
    moved = [history.move_of(verdict, "demand") for verdict in history.windows if "demand" in verdict.features]
    assert len(moved) == 6 and min(moved) >= 1
    assert min(history.move_of(verdict, "demand") for verdict in history.windows) < 1


def test_the_band_is_wider_for_fewer_rows_and_holds_the_level(history):
    (low, high), (lower, higher) = history.band(500), history.band(50)
    assert lower < low < history.level.level < high < higher


def test_a_baseline_cuts_rows_and_verdicts_alike(drifted):
    since = Baseline("s", "shop/server/a", [2_410], {})
    history = history_of(drifted.queries, ENDPOINT, since)
    assert 0 < len(history.rows) < 2_400
    assert all(verdict.first.position.offset >= 2_410 for verdict in history.verdicts)
    assert history.number_of(history.windows[0].first) >= 0


def test_the_endpoint_that_answered_last_is_found_and_none_where_none_did(drifted):
    assert endpoint_since(drifted.queries, drifted.begin) == ENDPOINT
    assert endpoint_since(drifted.queries, Baseline("s", "shop/server/a", [100_000], {})) is None
