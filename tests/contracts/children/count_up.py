"""Adds 1 to the counter in the shared state, TIMES times, by compare-and-set; prints how often it lost."""

import sys

from leeway.backends import connect
from leeway.errors import Conflict
from leeway.settings import Settings

state = connect.state(Settings.read(), "shared")
print("ready", flush=True)
sys.stdin.readline()
done = lost = 0
while done < int(sys.argv[1]):
    known = state.get("counter")
    try:
        state.commit({"counter": b"%d" % (int(known or 0) + 1)}, expect={"counter": known})
        done += 1
    except Conflict:
        lost += 1
print(lost, flush=True)
