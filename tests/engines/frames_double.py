"""What V3IO's Frames service answers to its client, as far as Leeway uses it: tables of its TSDB.

Written from the client's own encoders and decoders, never compared with a real Iguazio. A sample that is written again
(same labels, same time) replaces the older one.
"""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pandas as pd
from v3io_frames import frames_pb2 as messages
from v3io_frames.frames_pb2_grpc import FramesServicer, add_FramesServicer_to_server
from v3io_frames.pbutils import df2msg, msg2df

_LARGEST = 128 << 20
_ROWS_A_MESSAGE = 4_000
_CONDITION = re.compile(r"(\w+)=='([^']*)'")

Key = tuple[int, tuple[tuple[str, str], ...]]


class FramesDouble(FramesServicer):
    """`tables` has samples by (time in milliseconds, labels); what was stored stays over `stop` and `start`. Only
    `token` is let in. `answers` is how many more requests it answers, None: all."""

    def __init__(self, token: str) -> None:
        self.answers: int | None = None
        self.tables: dict[str, dict[Key, dict[str, Any]]] = {}
        self.lock = threading.Lock()
        self._token, self._port = token, 0
        self.start()

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self._port}"

    def start(self) -> None:
        options = [("grpc.max_receive_message_length", _LARGEST), ("grpc.so_reuseport", 0)]
        self._server = grpc.server(ThreadPoolExecutor(4), options=options)
        add_FramesServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None).wait()

    def Create(self, request: Any, context: Any) -> Any:
        self._check(request, context)
        with self.lock:
            if request.table in self.tables and request.if_exists != messages.IGNORE:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, f"table {request.table} is there")
            self.tables.setdefault(request.table, {})
        return messages.CreateResponse()

    def Write(self, requests: Any, context: Any) -> Any:
        first = next(requests).request
        self._check(first, context)
        with self.lock:
            table = self._table(first.table, context)
            for each in requests:
                frame, names = msg2df(each.frame, pd.DataFrame).reset_index(), _labels(each.frame)
                times = frame.pop("time").astype("int64") // 10**6
                labels = frame[names].to_dict("records")
                for at, label, values in zip(times, labels, frame.drop(columns=names).to_dict("records")):
                    table.setdefault((at, tuple(label.items())), {}).update(values)
        return messages.WriteRespose()

    def Read(self, request: Any, context: Any) -> Any:
        self._check(request, context)
        wanted = dict(_CONDITION.findall(request.filter))
        with self.lock:
            found = [
                {"time": at, **dict(labels), **values}
                for (at, labels), values in sorted(self._table(request.table, context).items())
                if int(request.start) <= at <= int(request.end) and wanted.items() <= dict(labels).items()
            ]
        for begin in range(0, len(found), _ROWS_A_MESSAGE):
            frame = pd.DataFrame(found[begin : begin + _ROWS_A_MESSAGE])
            frame["time"] = pd.to_datetime(frame["time"], unit="ms", utc=True)
            columns = list(request.columns)
            yield df2msg(frame.set_index([name for name in frame if name not in columns])[columns])

    def Delete(self, request: Any, context: Any) -> Any:
        self._check(request, context)
        with self.lock:
            table = self._table(request.table, context)
            for key in [key for key in table if int(request.start) <= key[0] <= int(request.end)]:
                del table[key]
        return messages.DeleteResponse()

    def _check(self, request: Any, context: Any) -> None:
        if request.session.token != self._token:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown access key")
        if self.answers is not None:
            self.answers -= 1
            if self.answers < 0:
                context.abort(grpc.StatusCode.UNAVAILABLE, "no more")

    def _table(self, name: str, context: Any) -> dict[Key, dict[str, Any]]:
        if name not in self.tables:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no table {name}")
        return self.tables[name]


def _labels(frame: Any) -> list[str]:
    return sorted({index.name for index in frame.indices} - {"time"})
