"""What a metric is estimated to be."""

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of one window of rows without their truth. The realised one lies between `low` and `high` 19 times of 20
    while the relation of rows and truth is the one of the reference. `reference` is the metric there."""

    value: float
    low: float
    high: float
    reference: float
