"""A profile is read by the version that wrote it."""

import msgspec
import pytest

from leeway.errors import LeewayError
from leeway.profile import CLASSIFICATION, VERSION, Profile


def test_a_profile_of_another_version_is_to_be_made_anew():
    made = Profile(task=CLASSIFICATION, rows=4, window_rows=20, features=[])
    other = msgspec.json.encode({**msgspec.json.decode(made.to_bytes()), "version": VERSION + 1})
    assert Profile.from_bytes(made.to_bytes()) == made
    with pytest.raises(LeewayError, match=f"version {VERSION + 1}, .* train or profile the model again"):
        Profile.from_bytes(other)
