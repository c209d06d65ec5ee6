import msgspec
import pytest

from leeway.record import Position, RowReference, Verdict
from monitoring.reconciliation import Reconciliation
from monitoring.summary import differences, summary_of


def found(**changed):
    counts = {
        "predictions": {"counted": 8, "duplicate_id": 1, "test": 2, "rows": 8},
        "feedback": {"recorded": 6, "joined": 4, "duplicate": 1, "corrected": 1, "orphan": 0, "pending": 0},
        "dropped": {},
        "lost": 0,
        "dead_lettered": 0,
    }
    return Reconciliation({"prediction": 11, "feedback": 6}, {"prediction": 11, "feedback": 6}, counts | changed, 0)


def summary(reconciliation=None, verdicts=(), requests=None, feedback_sent=6):
    requests = requests or {"sent": 11, "answered": 11}
    return summary_of(requests, feedback_sent, reconciliation or found(), verdicts, lambda id_: int(id_))


def verdict(status):
    at = Position(0, 20)
    first, last = RowReference(Position(0, 10), "3", 0), RowReference(Position(0, 19), "7", 0)
    return Verdict(
        id="v", endpoint="p/f/m/default/m/1", detector="data_drift", kind="data_drift", status=status, at=at,
        appended=1_700_000_000, rows=5, first=first, last=last, statistic=9.5, threshold=2.0, features=["b", "a"],
    )  # fmt: skip


def test_what_adds_up_has_no_differences():
    assert differences(summary()) == []


def test_only_alarms_are_listed_with_the_rows_of_the_caller():
    assert summary(verdicts=[verdict(0), verdict(2)])["alarms"] == [
        {
            "detector": "data_drift", "kind": "data_drift", "endpoint": "p/f/m/default/m/1", "rows": [3, 7],
            "appended": 1_700_000_000, "statistic": 9.5, "threshold": 2.0, "features": ["b", "a"],
        }
    ]  # fmt: skip


def test_drops_of_every_reason_are_summed_and_explain_what_was_not_recorded():
    dropped = found(dropped={"outbox_full": 2, "write_error": 1})
    made = summary(dropped, requests={"sent": 14, "answered": 14})
    assert made["dropped"] == 3
    assert differences(made) == []


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (summary(requests={"sent": 12, "answered": 11}), "requests sent: 12, but answered: 11"),
        (summary(requests={"sent": 12, "answered": 12}), "answered: 18, but recorded or dropped: 17"),
        (summary(feedback_sent=7), "answered: 18, but recorded or dropped: 17"),
        (summary(found(lost=1)), "records lost: 1"),
        (summary(found(dead_lettered=3)), "records dead-lettered: 3"),
        (
            summary(msgspec.structs.replace(found(), archived={"prediction": 10, "feedback": 6})),
            "predictions recorded: 11, but archived: 10",
        ),
        (
            summary(found(predictions={"counted": 9, "duplicate_id": 1, "test": 2, "rows": 8})),
            "predictions recorded: 11, but counted, repeated ids and tests: 12",
        ),
        (
            summary(found(feedback=found().counts["feedback"] | {"joined": 3})),
            "feedback recorded: 6, but joined, duplicate, corrected, orphan and pending: 5",
        ),
    ],
)  # fmt: skip
def test_each_gap_is_named_with_both_numbers(made, sentence):
    assert len(differences(made)) == 1
    assert sentence in differences(made)[0]
