"""Which arm a key belongs to.

Weighted rendezvous hashing: every arm has a score for a key, -weight / ln(u), with u in (0, 1) drawn from the hash of
key and arm; the highest has it. Scores of arms do not depend on each other, so that a change of weights moves only keys
to arms whose share grew, and no more of them than it grew by (Thaler and Ravishankar 1998; Schindelhauer and Schomaker
2005).
"""

import hashlib
import math
from collections.abc import Sequence

_SCALE = 2.0**-64


def sticky(key: str, arms: Sequence[str], weights: Sequence[float]) -> int:
    """The index of the arm of a key; arms without weight have none. Over all keys each arm has its share.

    >>> sticky("anna", ["main", "canary"], [90, 10])
    0
    """
    best, found = -1.0, 0
    for i, (arm, weight) in enumerate(zip(arms, weights)):
        if weight > 0:
            digest = hashlib.blake2b(f"{arm}\0{key}".encode("utf-8", "replace"), digest_size=8).digest()
            score = -weight / math.log((int.from_bytes(digest, "big") + 0.5) * _SCALE)
            if score > best:
                best, found = score, i
    return found


def key_hash(key: str) -> str:
    """How a record names a key, without saying it."""
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
