"""How many rows a second a replay takes on one core: from Parquet to verdicts, the stream of bench_record_path.py.

CPU time of this process, best of five, beside the calibration loop. The verdicts are compared with what was found at
the time. Run: python tests/bench/bench_replay.py [--home FOLDER]     (the archive is kept there for the next time)
"""

import argparse
import gc
import sys
import tempfile
from pathlib import Path

import msgspec
from bench_record_path import ENDPOINT, ROWS, RUNS, calibrate, cpu_seconds, messages, profile

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.replay import Replay

TARGET = 100_000
KEY = "bench/model-server/elec"


def record(settings: Settings, labelled: bool) -> None:
    """Consume the stream into the stores of a home."""
    state, shared, series = (
        connect.state(settings, "bench-0"),
        connect.state(settings, "shared"),
        connect.series(settings),
    )
    shared.commit({f"profile/{ENDPOINT}": profile()})
    archive = connect.archive(settings)
    consumer = Consumer("bench", 0, settings, state, shared, series, archive, SystemClock(), lambda incident: None)
    consumer.consume(messages(labelled))
    for store in (state, shared, series):
        store.close()


def measured(kind: str, settings: Settings) -> bool:
    """Print what a home's replay takes; whether it is fast enough, and finds what was found."""
    replay = Replay(settings, KEY)
    seconds, loops = [], []
    for _ in range(RUNS):
        gc.collect()
        seconds.append(cpu_seconds(lambda: replay.run(settings)))
        loops.append(calibrate())
    again, found = replay.run(settings).verdicts, replay.recorded()
    is_same = [*map(msgspec.json.encode, again)] == [*map(msgspec.json.encode, found)]
    rate, loop_ms = ROWS / min(seconds), min(loops) * 1e3
    told = "the same verdicts" if is_same else "OTHER VERDICTS"
    print(f"{kind:>12}: {rate:8,.0f} rows/s (goal {TARGET:,}); calibration loop {loop_ms:.0f} ms; {told}")
    return is_same and rate >= TARGET


def main() -> int:
    """Print the figures; 1 where one misses the goal, or a verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("unlabelled", "labelled"):
            settings = Settings(home=(given.home or Path(folder)) / kind)
            if not settings.home.exists():
                record(settings, kind == "labelled")
            failed |= not measured(kind, settings)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
