"""What some messages held, ready to be worked on in columns."""

from collections import Counter
from dataclasses import dataclass, field

from .answers import Answers
from .counts import Counts
from .label_values import Completed
from .outcomes import COUNTED, DUPLICATE_ID, TEST
from .told import Feedback, Told


@dataclass
class Batch:
    """`answers` by stream key and endpoint, `feedback` and `decisions` by stream key, `completed` by endpoint;
    `messages` counts those that it was made of."""

    messages: int = 0
    answers: dict[tuple[str, str], Answers] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    decisions: dict[str, list[Told]] = field(default_factory=dict)
    completed: dict[str, list[Completed]] = field(default_factory=dict)


def count_answers(answers: Answers, counts: Counts) -> None:
    """Add the prediction records of an endpoint to the counts of its stream key."""
    counts.predictions.counted += answers.statuses.count(COUNTED)
    counts.predictions.duplicate_id += answers.statuses.count(DUPLICATE_ID)
    counts.predictions.test += answers.statuses.count(TEST)
    counts.predictions.rows += sum(answers.counted_rows())


def count_feedback(feedback: Feedback, counts: Counts) -> None:
    """Add feedback records, and what became of their rows when they came."""
    counts.feedback.recorded += len(feedback.sizes)
    for outcome, n in Counter(feedback.outcomes).items():
        setattr(counts.feedback, outcome, getattr(counts.feedback, outcome) + n)
