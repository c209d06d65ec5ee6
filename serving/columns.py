"""Rows whose columns the caller named, in the order in which the model takes them."""

import msgspec

from .errors import BadRequest
from .types import Endpoint, InferenceRequest


def in_model_order(request: InferenceRequest, endpoint: Endpoint) -> InferenceRequest:
    """As it is, where no columns were named, the model knows none, or none of the names is the model's; BadRequest
    where only some are."""
    names, features = request.names, endpoint.features
    if not names or not features or names == features or not set(names) & set(features):
        return request
    if sorted(names) != sorted(features):
        wrong = sorted(set(names) ^ set(features)) or names
        raise BadRequest(f"columns {', '.join(wrong)[:200]}: the model takes {', '.join(features)[:500]}")
    if not all(type(row) is list and len(row) == len(names) for row in request.rows):
        return request  # the model says what is wrong with them
    order = [names.index(feature) for feature in features]
    rows = [[row[i] for i in order] for row in request.rows]
    return msgspec.structs.replace(request, rows=rows, names=features)
