"""A folder of functions as a hub source: `leeway hub serve`."""

import http.server
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from leeway.errors import BundleError

from .hub import CATALOG, CHANNEL, catalog

HOST = "127.0.0.1"


class HubServer:
    """Serves, on loopback and for reading alone, a folder in the layout of a hub, or one that holds a folder for each
    function (`<name>/function.yaml`, `<name>/item.yaml`), under the paths of a hub."""

    def __init__(self, folder: Path, port: int = 0):
        self._folder = folder.absolute()
        self._is_hub = (folder / "functions").is_dir()
        self._items = {} if self._is_hub else _items(self._folder)
        if not self._is_hub and not self._items:
            raise BundleError(f"{folder} holds neither functions/ in a hub's layout nor a folder with a function.yaml")
        self._server = http.server.ThreadingHTTPServer((HOST, port), _handler(self._content))

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def names(self) -> list[str]:
        """The functions that are served."""
        return sorted(self._items or (path.name for path in (self._folder / "functions").glob("*/*/")))

    def run(self) -> None:
        """Until `close` is called from another thread, or Ctrl-C; then the port is free again."""
        with self._server:
            self._server.serve_forever()

    def close(self) -> None:
        """End a server that runs."""
        self._server.shutdown()

    def _content(self, path: str) -> bytes | None:
        if self._is_hub:
            file = (self._folder / path).resolve()
            return file.read_bytes() if file.is_relative_to(self._folder.resolve()) and file.is_file() else None
        parts = path.split("/")
        if path == f"functions/{CHANNEL}/{CATALOG}":
            return json.dumps(catalog([f for f in self._items.values() if (f / "item.yaml").is_file()])).encode()
        if len(parts) != 6 or parts[0] != "functions" or parts[4] != "src" or parts[2] not in self._items:
            return None
        file = self._items[parts[2]] / parts[5]
        return file.read_bytes() if parts[5] not in ("", "..") and file.is_file() else None


def _items(folder: Path) -> dict[str, Path]:
    """MLRun asks for a name with "_" in the place of each "-"."""
    return {path.parent.name.replace("-", "_"): path.parent for path in sorted(folder.glob("*/function.yaml"))}


def _handler(content: Callable[[str], bytes | None]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = content(unquote(urlsplit(self.path).path).strip("/"))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    return Handler
