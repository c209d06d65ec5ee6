"""Which slices the rows belong to that wait for their truth.

What is remembered outlives what the label book remembers, so that forgetting here never shows: a chunk (what came in
one range) goes when its last prediction is older than `labels.age_s`, or `labels.count` predictions came after it.
"""

from collections import deque
from collections.abc import Mapping

import msgspec
import numpy as np

from leeway.settings import Settings

from .answers import Answers
from .label_values import Completed
from .packing import pack
from .slices import NOWHERE, Slicing

PREFIX = "slice/"


Place = tuple[int, int]


class SliceBook:
    """The slices of one endpoint's rows: by (offset, index) of the prediction one byte per row and slicing, row by row.

    In the state a chunk is the setting that its codes are of, the clock of its last prediction, and the codes.
    """

    def __init__(self, endpoint: str, slicings: list[Slicing], settings: Settings):
        self._prefix, self._slicings, self._settings = f"{PREFIX}{endpoint}/", slicings, settings
        self._codes: dict[Place, bytes] = {}
        self._chunks: deque[tuple[int, int, list[Place]]] = deque()  # number, clock, places
        self._new: list[Place] = []
        self._clock = self._number = 0
        self._gone: list[str] = []

    def see(self, answers: Answers) -> None:
        """Remember the rows of a batch that detectors may see."""
        fed = answers.fed
        if not len(fed) or not self._slicings:
            return
        columns = answers.fed_columns(0, len(fed))
        codes = np.column_stack([slicing.of(columns, len(fed)) for slicing in self._slicings])
        owners, starts = np.unique(answers.owner[fed], return_index=True)
        for owner, part in zip(owners.tolist(), np.split(codes, starts[1:])):
            at = answers.places[owner]
            self._codes[(at.offset, at.index)] = part.tobytes()
            self._new.append((at.offset, at.index))
            self._clock = at.clock

    def slices_of(self, item: Completed) -> list[tuple[int, int]]:
        """(slicing, slice) pairs of a row whose truth came."""
        found = self._codes.get((item.entry.offset, item.entry.index), b"")
        width = len(self._slicings)
        codes = np.frombuffer(found, np.int8)[item.row * width : (item.row + 1) * width].tolist()
        return [(slicing, code) for slicing, code in enumerate(codes) if code != NOWHERE]

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts: dict[str, bytes] = {}
        if self._new:
            rows = [(*place, self._codes[place]) for place in self._new]
            puts[f"{self._prefix}{self._number:016d}"] = pack((self._settings.slices, self._clock, rows))
            self._chunks.append((self._number, self._clock, self._new))
            self._number, self._new = self._number + 1, []
            self._forget()
        deletes, self._gone = self._gone, []
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds; chunks of another setting are dropped."""
        for key in sorted(key for key in stored if key.startswith(self._prefix)):
            slices, clock, rows = _decode(stored[key])
            self._number = int(key.rpartition("/")[2]) + 1
            if slices != self._settings.slices:
                self._gone.append(key)
                continue
            self._codes |= {(offset, index): codes for offset, index, codes in rows}
            self._chunks.append((self._number - 1, clock, [(offset, index) for offset, index, _ in rows]))
            self._clock = clock

    def _forget(self) -> None:
        while self._chunks:
            number, clock, places = self._chunks[0]
            after = len(self._codes) - len(places)
            if clock + self._settings.labels_age_s >= self._clock and after < self._settings.labels_count:
                return
            self._chunks.popleft()
            for place in places:
                del self._codes[place]
            self._gone.append(f"{self._prefix}{number:016d}")


_decode = msgspec.msgpack.Decoder(tuple[str, int, list[tuple[int, int, bytes]]]).decode
