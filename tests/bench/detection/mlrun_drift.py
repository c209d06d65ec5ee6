"""What MLRun's data drift application says of a feature, by MLRun's own metrics; the application itself does not load
without plotly."""

import numpy as np

BINS, POTENTIAL, DETECTED = 20, 0.5, 0.7


def general_drift(reference: np.ndarray, window: np.ndarray) -> float:
    """(Total variation + Hellinger) / 2 of values, each of shape (n,), over 20 bins of the reference's range and one on
    either side for what lies beyond it, into which the window's values fall that equal the reference's largest."""
    from mlrun.model_monitoring.metrics.histogram_distance import HellingerDistance, TotalVarianceDistance

    counts, edges = np.histogram(reference, BINS)
    padded = np.concatenate([[0], counts, [0]]) / len(reference)
    most = np.finfo(float).max
    found = np.histogram(window, np.concatenate([[-most], edges, [most]]))[0] / len(window)
    return float(np.mean([metric(padded, found).compute() for metric in (TotalVarianceDistance, HellingerDistance)]))
