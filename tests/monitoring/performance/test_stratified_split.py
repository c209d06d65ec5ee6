import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit

from monitoring.performance.stratified_split import stratified_splits


@pytest.mark.parametrize("rows", [20, 21, 77, 640, 1_003])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.93])
def test_it_draws_what_scikit_learn_draws(rows, share):
    outcomes = (np.random.default_rng(rows).permutation(rows) < min(max(round(share * rows), 2), rows - 2)).astype(
        float
    )
    theirs = StratifiedShuffleSplit(n_splits=10, test_size=0.1, random_state=42)
    ours = stratified_splits(outcomes, 10, 0.1)
    for mine, other in zip(ours, theirs.split(outcomes, outcomes), strict=True):
        assert [part.tolist() for part in mine] == [part.tolist() for part in other]
