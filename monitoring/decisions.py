"""What a person decides about an incident, and what that makes of the reference.

Confirmed: the world is like that now, so the new level becomes the reference. Of a window's incident, the features
that moved are profiled anew from the last window that alarmed; of a sequential one, the next labelled rows set the
error level (warming). Dismissed: it was nothing, so these rows join the reference. A window becomes one of the
reference's own windows, whose effects the gates leave alone; labelled rows join the error level.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from leeway.profile import Effects, ErrorLevel, FeatureProfile, Profile
from leeway.record import Incident

from .chunks import Chunk
from .error_level import sequence_of
from .feature_profile import feature_profile
from .incidents import CONFIRMED, DISMISSED

CONFIRM, DISMISS = "confirm", "dismiss"
STATES = {CONFIRM: CONFIRMED, DISMISS: DISMISSED}
APPLIED, UNKNOWN, UNWATCHED = "applied", "unknown", "unwatched"  # the last: its endpoint is in trouble, decide later


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """The `decision` of a record: what to do (confirm, dismiss) with which incident, and why."""

    do: str
    incident: str
    note: str = ""


def read(decision: Any) -> Decision | None:
    """The decision about an incident that a record carries; None where it carries another one."""
    try:
        found = msgspec.convert(decision, Decision)
    except msgspec.ValidationError:
        return None
    return found if found.do in STATES else None


def reference_after(do: str, incident: Incident, profile: Profile, window: Chunk | None, sequential: bool) -> Profile:
    """The profile from then on; `window` holds the rows of the endpoint's last window that alarmed."""
    if sequential:
        errors = None if do == CONFIRM or profile.errors is None else _joined(profile.errors, incident)
        return msgspec.structs.replace(profile, errors=errors)
    if do == DISMISS:
        return _each(profile, incident.features, lambda feature: _owned(feature, incident))
    return profile if window is None else _each(profile, incident.features, lambda feature: _anew(feature, window))


def _each(profile: Profile, names: Sequence[str], change: Any) -> Profile:
    """The profile with some of its features (or its prediction) changed."""
    features = [change(each) if each.name in names else each for each in profile.features]
    prediction = profile.prediction
    if prediction is not None and prediction.name in names:
        prediction = change(prediction)
    return msgspec.structs.replace(profile, features=features, prediction=prediction)


def _anew(feature: FeatureProfile, window: Chunk) -> FeatureProfile:
    column = window.columns.get(feature.name, window.outputs)
    found = feature_profile(feature.name, column, feature.kind)
    return msgspec.structs.replace(found, own=feature.own)


def _owned(feature: FeatureProfile, incident: Incident) -> FeatureProfile:
    found = incident.opened.details.get(feature.name)
    if not isinstance(found, dict):
        return feature
    effects = Effects(
        distribution=found.get("effect", 0.0),
        missing=abs(found.get("missing_rate", 0.0) - feature.missing_rate),
        out_of_range=found.get("out_of_range", 0.0),
        unseen=found.get("unseen", 0.0),
        type_change=found.get("type_change", 0.0),
    )
    largest = {name: max(getattr(effects, name), getattr(feature.own, name)) for name in Effects.__struct_fields__}
    return msgspec.structs.replace(feature, own=Effects(**largest))


def _joined(level: ErrorLevel, incident: Incident) -> ErrorLevel:
    """The level with the rows of the alarm behind it, whose errors are spread evenly: their order was not kept."""
    rows, errors = incident.opened.rows, int(incident.opened.details.get("errors", 0))
    added = np.diff(np.arange(rows + 1) * errors // max(rows, 1)) > 0
    sequence = np.packbits(np.concatenate([sequence_of(level), added])).tobytes()
    return msgspec.structs.replace(level, rows=level.rows + rows, errors=level.errors + errors, sequence=sequence)
