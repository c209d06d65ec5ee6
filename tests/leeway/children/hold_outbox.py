"""Appends one record to an outbox in FOLDER, and lives until its input ends."""

import sys
from pathlib import Path

from leeway.clock import SystemClock
from leeway.outbox import Outbox
from leeway.settings import Settings

outbox = Outbox.create(Path(sys.argv[1]), Settings(), SystemClock())
outbox.append("p/f/d", lambda origin: b"of the child")
print(outbox.id, flush=True)
sys.stdin.read()
