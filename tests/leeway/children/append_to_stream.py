"""Appends COUNT numbered messages of WRITER to the stream of HOME, in chunks of seven."""

import sys
from pathlib import Path

from leeway.backends import connect
from leeway.settings import Settings

home, writer, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
stream = connect.stream("users/admin/elec", Settings(home=home, stream_shards=2))
print("ready", flush=True)
sys.stdin.readline()
for first in range(0, count, 7):
    entries = [(f"{writer}/{i % 4}", b"%d" % i) for i in range(first, min(first + 7, count))]
    assert stream.append(entries) == len(entries)
