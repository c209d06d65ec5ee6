"""What V3IO's web API answers to the SDK, as far as Leeway uses it: streams, and attributes of items.

Written from the SDK's own encoders and decoders, never compared with a real Iguazio. Sequence numbers begin at 1.
"""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MISSING = 404, {"ErrorCode": -2, "ErrorMessage": "ResourceNotFoundException"}
_LARGEST = 2 << 20


class V3ioDouble:
    """`takes` is how many records of a request it takes (None: all); the others come back with an error each.
    What was stored stays over `stop` and `start`."""

    def __init__(self) -> None:
        self.takes: int | None = None
        self.streams: dict[str, list[list[dict[str, Any]]]] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.keys: set[str | None] = set()
        self.lock = threading.Lock()
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _Request, self)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, function: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """(status, JSON) of one request; the path is container/stream or container/stream/shard, without slashes
        at its ends."""
        with self.lock:
            return getattr(self, f"_{function}", self._unknown)(path, body)

    def _unknown(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        return 400, {"ErrorMessage": "unsupported"}

    def _CreateStream(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path in self.streams:
            return 409, {"ErrorCode": -17, "ErrorMessage": "ResourceInUseException"}
        self.streams[path] = [[] for _ in range(body["ShardCount"])]
        return 204, None

    def _DescribeStream(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path not in self.streams:
            return _MISSING
        return 200, {"ShardCount": len(self.streams[path]), "RetentionPeriodHours": 24}

    def _PutRecords(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path not in self.streams:
            return _MISSING
        if len(body["Records"]) > 1000:
            return 400, {"ErrorMessage": "too many records"}
        takes = len(body["Records"]) if self.takes is None else self.takes
        results = [self._put(self.streams[path], each, i < takes) for i, each in enumerate(body["Records"])]
        return 200, {"FailedRecordCount": sum("ErrorCode" in each for each in results), "Records": results}

    def _put(self, shards: list[list[dict[str, Any]]], record: dict[str, Any], is_taken: bool) -> dict[str, Any]:
        if not is_taken or len(base64.b64decode(record["Data"])) > _LARGEST:
            return {"ErrorCode": -16, "ErrorMessage": "ProvisionedThroughputExceeded"}
        shard, now_ns = shards[record["ShardId"]], time.time_ns()
        arrival = {"ArrivalTimeSec": now_ns // 10**9, "ArrivalTimeNSec": now_ns % 10**9}
        shard.append({**record, **arrival, "SequenceNumber": len(shard) + 1})
        return {"SequenceNumber": len(shard), "ShardId": record["ShardId"]}

    def _SeekShard(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        path, _, shard = path.rpartition("/")
        end = len(self.streams[path][int(shard)]) + 1
        place = {"EARLIEST": 1, "LATEST": end, "SEQUENCE": body.get("StartingSequenceNumber")}[body["Type"]]
        if not 1 <= place <= end:
            return 400, {"ErrorMessage": "InvalidArgument: no such sequence number"}
        return 200, {"Location": base64.b64encode(f"{shard}:{place}".encode()).decode()}

    def _GetRecords(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        shard, place = map(int, base64.b64decode(body["Location"]).split(b":"))
        records = self.streams[path.rpartition("/")[0]][shard]
        given = records[place - 1 : place - 1 + body.get("Limit", 1000)]
        location = base64.b64encode(f"{shard}:{place + len(given)}".encode()).decode()
        behind = len(records) - (place - 1) - len(given)
        return 200, {
            "NextLocation": location, "MSecBehindLatest": 0, "RecordsBehindLatest": behind, "Records": given,
        }  # fmt: skip

    def _PutItem(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.items.setdefault(path, {}).update(body["Item"])
        return 204, None

    def _GetItem(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path not in self.items and path.rpartition("/")[0] not in self.streams:
            return _MISSING
        wanted = body["AttributesToGet"].split(",")
        return 200, {"Item": {name: value for name, value in self.items.get(path, {}).items() if name in wanted}}


class _Server(ThreadingHTTPServer):
    """Ends the connections that clients keep open when it closes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], request: Any, double: V3ioDouble):
        self.double = double
        self._open: set[Any] = set()
        super().__init__(address, request)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        super().server_close()
        for connection in self._open:
            try:
                connection.shutdown(2)
            except OSError:
                pass


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.server.double.keys.add(self.headers.get("X-v3io-session-key"))
        path = self.path.partition("?")[0].strip("/")
        status, answer = self.server.double.answer(self.headers["X-v3io-function"], path, body)
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT
