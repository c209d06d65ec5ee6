"""Messages a second from a Kafka topic through a deployed function: Leeway's own worker, Nuclio's processor beside it.

The function decodes JSON of 774 bytes and acknowledges; one partition, one worker. The clock runs from the first
message to the last, in the function's own process. Run: python tests/bench/bench_kafka_trigger.py --records 20000,
with NUCLIO_PROCESSOR and NUCLIO_PYTHON_WRAPPER_PATH set for the second line.
"""

import argparse
import base64
import http.client
import json
import os
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from leeway.backends import connect
from leeway.local import platform
from leeway.settings import Settings
from tests.engines.kafka_broker import KafkaBroker

RECORD = json.dumps({"id": "r", "inputs": [[0.123456789] * 10], "padding": "x" * 600}).encode()
CODE = """
import json, os, time
from nuclio_sdk import QualifiedOffset
count, began = 0, 0.0
async def handler(context, event):
    global count, began
    began = began or time.perf_counter()
    json.loads(event.body)
    count += 1
    if count % 500 == 0 or count == int(os.environ["COUNT"]):
        await context.platform.explicit_ack(QualifiedOffset.from_event(event))
    if count == int(os.environ["COUNT"]):
        with open(os.environ["SAID"], "w") as file:
            file.write(str(time.perf_counter() - began))
"""


def rate(kafka: KafkaBroker, topic: str, records: int, home: Path) -> float:
    settings, said = Settings(home=home), home / "said"
    with closing(connect.stream(f"{kafka.url}/{topic}", settings)) as stream:
        for _ in range(records // 500):
            stream.append([("k", RECORD)] * 500)
    attributes = {"brokers": [kafka.url.removeprefix("kafka://")], "topics": [topic]}
    document = {
        "metadata": {"name": "reader"},
        "spec": {
            "handler": "main:handler",
            "build": {"functionSourceCode": base64.b64encode(CODE.encode()).decode()},
            "env": [{"name": "COUNT", "value": str(records)}, {"name": "SAID", "value": str(said)}],
            "triggers": {
                "k": {
                    "kind": "kafka-cluster", "explicitAckMode": "explicitOnly", "attributes": attributes,
                    "workerTerminationTimeout": "100ms",
                }
            },
        },
    }  # fmt: skip
    connection = http.client.HTTPConnection(platform.ensure(settings).removeprefix("http://"))
    connection.request("POST", "/api/functions", json.dumps(document), {"content-type": "application/json"})
    connection.getresponse().read()
    connection.close()
    until = time.monotonic() + 300
    while not said.exists() or not said.read_text():
        if time.monotonic() > until:
            raise RuntimeError(f"{topic}: the function never saw {records} messages; see {home}")
        time.sleep(0.1)
    platform.down(settings)
    return records / float(said.read_text())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=20_000)
    records = parser.parse_args().records
    processor = os.environ.pop("NUCLIO_PROCESSOR", "")
    kafka = KafkaBroker()
    try:
        kafka.start()
        with tempfile.TemporaryDirectory() as home:
            print(f"a function's trigger on Kafka, {records:,} messages, load {os.getloadavg()[0]:.1f}")
            own = rate(kafka, "own", records, Path(home) / "own")
            print(f"  Leeway's own worker {own:10,.0f} messages/s", flush=True)
            if processor:
                os.environ["NUCLIO_PROCESSOR"] = processor
                nuclios = rate(kafka, "nuclio", records, Path(home) / "nuclio")
                print(
                    f"  Nuclio's processor  {nuclios:10,.0f} messages/s: Leeway's own is {own / nuclios:.2f} times it"
                )
            else:
                print("  Nuclio's processor  left out: NUCLIO_PROCESSOR names none")
    finally:
        kafka.remove()


if __name__ == "__main__":
    main()
