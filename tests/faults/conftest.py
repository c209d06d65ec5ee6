"""The profile of the model whose answers the fault tests record."""

import numpy as np
import pandas as pd
import pytest

from monitoring.reference import profile_of
from tests.faults.machine import Machine
from tests.faults.world import FEATURES


def predict(frame) -> np.ndarray:
    """Up where the price is above one half."""
    return (np.asarray(frame)[:, 0].astype(float) > 0.5).astype(int)


@pytest.fixture(scope="session")
def profile() -> bytes:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({name: rng.random(2_000) for name in FEATURES})
    frame["y"] = predict(frame) ^ (rng.random(2_000) < 0.1)
    return profile_of(frame, features=FEATURES, label="y", predict=predict, held_out=slice(1_000, None)).to_bytes()


@pytest.fixture
def machine(profile, tmp_path) -> type[Machine]:
    """The machine, whose homes lie in the test's folder."""
    return type("Machine", (Machine,), {"profile": profile, "folder": tmp_path})
