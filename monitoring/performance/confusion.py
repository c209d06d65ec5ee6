"""Metrics of a classification from the confusion matrix that is expected, given how likely each class is in a row."""

import numpy as np

ACCURACY, ERROR_RATE, ROC_AUC, F1, PRECISION, RECALL = METRICS = (
    "accuracy", "error_rate", "roc_auc", "f1", "precision", "recall",
)  # fmt: skip


def expected_metrics(likely: np.ndarray, scores: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """The metrics by name.

    `likely` holds probabilities that the truth is each class, shape (n, classes), zeros and ones where it is known;
    `scores` is what the model said, of the same shape; `predicted` the class answered, as an index, shape (n,). With
    two classes f1, precision, recall and roc_auc are those of the second, with more the means over classes, one
    against the rest. NaN where a metric is not defined.
    """
    accuracy = float(likely[np.arange(len(likely)), predicted].mean()) if len(likely) else float("nan")
    classes = range(1, 2) if likely.shape[1] == 2 else range(likely.shape[1])
    found = np.array([_of_class(likely[:, k], scores[:, k], predicted == k) for k in classes])
    roc_auc, f1, precision, recall = found.mean(axis=0).tolist()
    return dict(zip(METRICS, (accuracy, 1 - accuracy, roc_auc, f1, precision, recall)))


def _of_class(likely: np.ndarray, scores: np.ndarray, is_predicted: np.ndarray) -> tuple[float, float, float, float]:
    """roc_auc, f1, precision and recall of one class against the rest."""
    true = float(likely.sum())
    hit, called = float(likely[is_predicted].sum()), float(is_predicted.sum())
    return (
        roc_auc(likely, scores),
        _ratio(2 * hit, true + called),
        _ratio(hit, called),
        _ratio(hit, true),
    )


def roc_auc(likely: np.ndarray, scores: np.ndarray) -> float:
    """The chance that a row of the class has a higher score than one of the rest, ties counting half."""
    order = np.argsort(scores)
    ordered = scores[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else order
    of_class = np.cumsum(likely[order])[ends]
    of_rest = ends + 1 - of_class
    area = float((np.diff(of_class, prepend=0.0) * (of_rest - np.diff(of_rest, prepend=0.0) / 2)).sum())
    return _ratio(area, float(of_class[-1] * of_rest[-1])) if len(ends) else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
