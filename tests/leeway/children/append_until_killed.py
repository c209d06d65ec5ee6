"""Appends numbered records to an outbox in FOLDER and prints each number once its record is kept."""

import sys
from itertools import count
from pathlib import Path

from leeway.clock import SystemClock
from leeway.outbox import Outbox
from leeway.settings import Settings

outbox = Outbox.create(Path(sys.argv[1]), Settings(), SystemClock())
for number in count(1):
    key = f"p/f/d{number % 3}"
    assert outbox.append(key, lambda origin, number=number: b"%d " % number + b"x" * (number * 37 % 9_000))
    print(number, flush=True)
