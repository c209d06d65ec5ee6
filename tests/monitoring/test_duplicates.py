import numpy as np
import pytest

from leeway.record import Response
from monitoring.duplicates import duplicate_share
from monitoring.queries import Queries
from monitoring.series import DUPLICATES


@pytest.mark.parametrize(
    ("columns", "share"),
    [
        ([np.array([1.0, 1.0, 2.0, 1.0]), ["a", "a", "a", "b"]], 0.25),
        ([np.array([np.nan, -np.nan, 0.0, -0.0])], 0.5),
        ([[None, None, [1], [1]]], 0.5),
        ([np.arange(4.0), np.arange(4.0)], 0.0),
        ([np.array([0.0, 1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0, 0.0])], 0.0),
    ],
    ids=["all columns count", "missing equals missing", "lists", "distinct", "columns are not interchangeable"],
)
def test_the_share_of_rows_that_were_there_before(columns, share):
    assert duplicate_share(columns, 4) == share


def test_rows_drawn_from_numbers_do_not_collide():
    rng = np.random.default_rng(0)
    assert duplicate_share(list(rng.normal(size=(10, 100_000))), 100_000) == 0.0


def test_windows_tell_how_many_of_their_rows_are_repeated(make_reader, maker):
    for i in range(100):
        maker.predict("a", f"r{i}", [[0.3, 0.4, 0.5]] if i >= 50 else None)
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    (points,) = [found for (name, *_), found in reader.points() if name == DUPLICATES]
    assert (min(p.low for p in points), max(p.high for p in points)) == (0.0, 0.98)


def test_answers_that_are_null_are_a_missing_rate_of_the_predictions(make_reader, maker):
    for i in range(50):
        fields = {"resp": Response(id=f"r{i}", outputs=[None])} if i % 2 else {}
        maker.predict("a", f"r{i}", **fields)
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        (found,) = queries.verdicts("shop/server/a/default/a/v1", "data_drift")
    assert "prediction" in found.features
    assert found.details["prediction"]["missing_rate"] == 0.5
    assert "missing" in found.details["prediction"]["causes"]
