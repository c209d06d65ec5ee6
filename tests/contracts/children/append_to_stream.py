"""Appends COUNT numbered messages of WRITER to the stream URL, in chunks of seven."""

import sys

from leeway.backends import connect
from leeway.settings import Settings

url, writer, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
stream = connect.stream(url, Settings.read())
print("ready", flush=True)
sys.stdin.readline()
for first in range(0, count, 7):
    entries = [(f"{writer}/{i % 4}", b"%d" % i) for i in range(first, min(first + 7, count))]
    assert stream.append(entries) == len(entries)
