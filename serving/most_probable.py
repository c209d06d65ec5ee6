"""From class probabilities to the classes that they speak for."""

from collections.abc import Sequence
from typing import Any


def most_probable(rows: Sequence[Sequence[float]], classes: Sequence[Any]) -> list[Any]:
    """Of each row the class of its largest value, of equals the first. `rows` has a column for each class."""
    if len(classes) == 2:  # half the time, for most classifiers there are
        first, second = classes
        return [second if b > a else first for a, b in rows]
    return [classes[row.index(max(row))] for row in rows]
