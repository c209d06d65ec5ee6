"""A real Zipkin, from the jar that install.sh fetched."""

import json
import shutil
from typing import Any
from urllib.request import ProxyHandler, build_opener

from .server import INSTALLED, Server

_JAR = INSTALLED / "zipkin" / "zipkin-server-exec.jar"
_get = build_opener(ProxyHandler({})).open


class ZipkinServer(Server):
    """Keeps traces in memory."""

    name = "zipkin"

    @classmethod
    def missing(cls) -> str:
        if not shutil.which("java"):
            return "Java for Zipkin (Debian: apt-get install default-jre-headless maven)"
        return "" if _JAR.exists() else "Zipkin (sh tests/engines/install.sh)"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v2/spans"

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace, [] where it knows none."""
        return self._answer(f"trace/{trace_id}")

    def spans(self, service: str, name: str) -> list[dict[str, Any]]:
        """Those of a name of the newest traces of a service."""
        found = self._answer(f"traces?serviceName={service}&limit=100")
        return [span for trace in found for span in trace if span["name"] == name]

    def prepare(self) -> None:
        """Nothing to make."""

    def command(self) -> list[str]:
        port = "--armeria.ports[0]"
        return [
            "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-jar", str(_JAR), f"{port}.ip=127.0.0.1",
            f"{port}.port={self.port}", f"{port}.protocols[0]=http",
        ]  # fmt: skip

    def is_ready(self) -> bool:
        if not super().is_ready():
            return False
        try:
            with _get(f"http://127.0.0.1:{self.port}/health") as answer:
                return answer.status == 200
        except OSError:
            return False

    def _answer(self, path: str) -> Any:
        try:
            with _get(f"http://127.0.0.1:{self.port}/api/v2/{path}") as answer:
                return json.load(answer)
        except OSError as error:
            if getattr(error, "code", None) == 404:
                return []
            raise
