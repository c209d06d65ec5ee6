"""Answers and consumes while stores are read-only, and when they no longer are. Prints one JSON object.

Each store is a file system of its own, which is mounted read-only; where this process may not mount, its folders and
files lose the permission to be written.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import nuclio_sdk

from leeway.backends import connect
from leeway.interfaces import Message
from leeway.local.stores import stores
from leeway.settings import Settings
from monitoring.shards import Shards
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings

PATIENCE_S = 60.0


class Mounts:
    """Folders that are file systems."""

    name = "mounts"

    def make(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder))

    def lock(self, folder: Path) -> None:
        self._mount("-o", "remount,ro", str(folder))

    def free(self, folder: Path) -> None:
        self._mount("-o", "remount,rw", str(folder))

    def _mount(self, *arguments: str) -> None:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)


class Permissions:
    """Folders whose owner may not write them."""

    name = "permissions"

    def make(self, folder: Path) -> None:
        folder.mkdir(parents=True)

    def lock(self, folder: Path) -> None:
        self._change(folder, 0o500, 0o400)

    def free(self, folder: Path) -> None:
        self._change(folder, 0o700, 0o600)

    def _change(self, folder: Path, of_folders: int, of_files: int) -> None:
        folder.chmod(0o700)
        for path in (folder, *folder.rglob("*")):
            path.chmod(of_folders if path.is_dir() else of_files)


class Server:
    """The model server as a Nuclio worker has it."""

    def __init__(self, settings: Settings, model: Path):
        self._function = NuclioFunction.start(ServingSettings({"a": str(model)}, stream="s"), settings, "0")
        self._context = nuclio_sdk.Context()

    def ask(self, id: str) -> int:
        body = json.dumps({"id": id, "instances": [[0.5, 0.6, 0.7]]})
        return self._send("POST", "/a/predict", body).status_code

    def metrics(self) -> str:
        return self._send("GET", "/metrics", "").body.decode()

    def close(self) -> None:
        self._function.close()

    def _send(self, method: str, path: str, body: str):
        headers = {"content-type": "application/json"}
        return self._function.answer(self._context, nuclio_sdk.Event(body, path=path, method=method, headers=headers))


def until(true):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def messages(settings: Settings) -> list[Message]:
    stream = connect.stream("s", settings)
    try:
        return stream.read(0, 0, 1_000)
    finally:
        stream.close()


def origins(settings: Settings) -> list[dict]:
    found = [json.loads(message.value) for message in messages(settings)]
    return [record["origin"] for record in found if record["op"] == "infer"]


def whole_home(disk, home: Path, model: Path) -> dict:
    """Nothing can be written, not even an outbox."""
    disk.make(home)
    settings = Settings(home=home)
    disk.lock(home)
    server = Server(settings, model)
    statuses = [server.ask(f"r{i}") for i in range(3)]
    told = server.metrics()
    disk.free(home)
    count = [3]

    def recorded() -> bool:
        count[0] += 1
        statuses.append(server.ask(f"r{count[0]}"))
        return any((home / "outbox").rglob("*.outbox"))

    until(recorded)
    server.close()
    (origin,) = origins(settings)
    return {
        "statuses": sorted(set(statuses)), "asked": len(statuses), "dropped": origin["dropped"], "seq": origin["seq"],
        "told": 'leeway_records_dropped_total{deployment="a",reason="no_outbox"} 3.0' in told,
    }  # fmt: skip


def stream_only(disk, home: Path, model: Path) -> dict:
    """Records wait in the outbox until the stream can be written."""
    disk.make(home / "streams")
    settings = Settings(home=home)
    messages(settings)
    disk.lock(home / "streams")
    server = Server(settings, model)
    statuses = [server.ask(f"r{i}") for i in range(5)]
    shown = stores(settings)
    disk.free(home / "streams")
    server.close()
    return {
        "statuses": sorted(set(statuses)), "seqs": [origin["seq"] for origin in origins(settings)],
        "waiting": shown["outboxes"][0]["waiting_bytes"],
        "locked": [kind for kind, about in shown["stores"].items() if about["locked"]],
    }  # fmt: skip


def what_is_consumed(disk, home: Path, store: str) -> dict:
    """The consumer tries again until its store can be written."""
    settings = Settings(home=home, series=f"sqlite://{home}/series/series.db", range_rows=1)
    reports: list[str] = []

    def consumer() -> Shards:
        return Shards(settings, "s", reports.append, lambda shard, offset: None)

    found = messages(settings)
    shards = consumer()
    taken = [shards.offer(found[0])]
    shards.close()
    disk.lock(home / store)
    shards = consumer()
    taken += [shards.offer(found[1])]
    shown = stores(settings)
    disk.free(home / store)
    until(lambda: shards.offer(found[1]))
    shards.tick()
    for message in found[2:]:
        assert shards.offer(message)
    shards.close()
    rows = connect.archive(settings).read("prediction").num_rows
    return {"taken": taken, "reports": reports, "error": shown["error"], "rows": rows,
            "locked": [kind for kind, about in shown["stores"].items() if about["locked"]]}  # fmt: skip


def main(folder: Path, model: Path, may_mount: bool) -> None:
    disk = Mounts() if may_mount else Permissions()
    found = {"by": disk.name, "home": whole_home(disk, folder / "home", model)}
    for store in ("state", "series", "archive"):
        home = folder / store
        for each in ("state", "series", "archive"):
            disk.make(home / each)
        if store == "state":
            found["stream"] = stream_only(disk, home, model)
        else:
            server = Server(Settings(home=home), model)
            for i in range(5):
                server.ask(f"r{i}")
            server.close()
        found[store] = what_is_consumed(disk, home, store)
    print(json.dumps(found))


main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "own")
