"""Whether a model says what it said when it was saved."""

from typing import Any

from serving.errors import LoadError
from serving.types import InferenceRequest

from .load import LoadedModel
from .stored_rows import StoredRows

_TOLERANCE = 1e-6


def self_test(loaded: LoadedModel) -> None:
    """Ask it the rows that lie beside it; LoadError where it fails, or says something else. Nothing where there are
    none."""
    if loaded.rows is None:
        return
    stored = StoredRows.read(loaded.rows)
    try:
        said = loaded.model.predict(InferenceRequest(id="self-test", rows=stored.rows))
    except (Exception, SystemExit) as error:
        raise LoadError(f"its self-test failed: it does not take its stored rows ({error})") from error
    if len(said.outputs) != len(stored.rows):
        raise LoadError(f"its self-test failed: it has {len(said.outputs)} outputs for {len(stored.rows)} rows")
    for i, (wanted, found) in enumerate(zip(stored.outputs or (), said.outputs)):
        if not _same(wanted, found):
            raise LoadError(f"its self-test failed: it says {found!r:.60} to stored row {i}; expected {wanted!r:.60}")
    if stored.probabilities is not None and not _same(stored.probabilities, said.probabilities):
        raise LoadError("its self-test failed: it has other probabilities for its stored rows")


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_same, wanted, found))
    if isinstance(wanted, float) or isinstance(found, float):
        numbers = isinstance(wanted, int | float) and isinstance(found, int | float)
        return numbers and abs(wanted - found) <= _TOLERANCE * max(1.0, abs(wanted))
    return wanted == found
