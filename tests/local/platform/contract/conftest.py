"""One suite for both engines: `python`, and, with NUCLIO_PROCESSOR and NUCLIO_PYTHON_WRAPPER_PATH set, `processor`."""

import os

import pytest


@pytest.fixture(autouse=True)
def engine() -> str:
    return "processor" if os.environ.get("NUCLIO_PROCESSOR") else "python"
