"""alibi-detect 0.13 on streams and windows like those of bench_detection.py and bench_windows.py.

Run in an environment of its own (`pip install alibi-detect==0.13.0`; its licence forbids use in production):
python alibi_beside.py [--seeds 6]
"""

import argparse

import numpy as np
from alibi_detect.cd import FETDriftOnline, KSDrift

ROWS, LEVEL_ROWS, DRIFT_AT, MISSED_AFTER = 20_000, 2_000, 10_000, 5_000
EXPECTED_RUN, WINDOWS = 2_000, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    seeds = range(parser.parse_args().seeds)
    for after in (0.15, 0.2):
        runs = [streamed(seed, after) for seed in seeds]
        print(
            f"FETDriftOnline, ert {EXPECTED_RUN:,}, window 100, .1-{after:g}: false alarms/10k "
            f"{np.mean([false for false, _ in runs]):.2f}, delay {np.mean([delay for _, delay in runs]):.0f}",
            flush=True,
        )
    for shift in (0.0, 0.2, 0.5):
        shares = [windowed(seed, shift) for seed in seeds]
        print(
            f"KSDrift, p .01, Bonferroni, {shift:g} sd in 1 of 10: {np.mean(shares):.1%} of windows alarm", flush=True
        )


def streamed(seed: int, after: float) -> tuple[float, float]:
    """False alarms per 10,000 rows before the error rate rises from .1, and the delay; anew after each alarm."""
    rng = np.random.default_rng([seed, 9])
    errors = rng.random(ROWS) < np.where(np.arange(ROWS) < DRIFT_AT, 0.1, after)
    detector = FETDriftOnline(
        errors[:LEVEL_ROWS, None].astype(int), ert=EXPECTED_RUN, window_sizes=[100], n_bootstraps=EXPECTED_RUN + 500,
        alternative="greater", verbose=False,
    )  # fmt: skip
    false = 0
    for row in range(LEVEL_ROWS, DRIFT_AT + MISSED_AFTER):
        if detector.predict(errors[row : row + 1].astype(int))["data"]["is_drift"]:
            if row >= DRIFT_AT:
                return false / (DRIFT_AT - LEVEL_ROWS) * 1e4, row - DRIFT_AT
            false += 1
            detector.reset_state()
    return false / (DRIFT_AT - LEVEL_ROWS) * 1e4, MISSED_AFTER


def windowed(seed: int, shift: float) -> float:
    """The share of windows of 1,000 rows that alarm against a reference of 5,000."""
    rng = np.random.default_rng([seed, 10])
    detector = KSDrift(rng.normal(size=(5_000, 10)), p_val=0.01)
    windows = rng.normal(size=(WINDOWS, 1_000, 10))
    windows[:, :, 3] += shift
    return float(np.mean([detector.predict(window)["data"]["is_drift"] for window in windows]))


if __name__ == "__main__":
    main()
