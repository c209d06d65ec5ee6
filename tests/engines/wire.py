"""A wire to a server: a TCP proxy that a test can cut, at once or at a certain packet."""

import socket
import threading
from collections.abc import Callable


class Wire:
    """Listens on `port` and passes on to the server's. `cut_before(data)` says of each packet on its way to the server
    whether the wire is to break first, `cut_after` whether it breaks once the packet is through, unanswered."""

    def __init__(self, server_port: int):
        self._server_port = server_port
        self.port = 0
        self.cut_before: Callable[[bytes], bool] = lambda data: False
        self.cut_after: Callable[[bytes], bool] = lambda data: False
        self._open: set[socket.socket] = set()
        self.start()

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Break every connection, and take none."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._open |= {client, server}
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, to_server: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                if to_server and self.cut_before(data):
                    break
                if to_server and self.cut_after(data):
                    self._hang_up(source)
                    target.sendall(data)
                    target.recv(1 << 16)  # what nobody hears
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            self._hang_up(end)
            self._open.discard(end)
            end.close()

    def _cut(self) -> None:
        for end in list(self._open):
            self._hang_up(end)

    def _hang_up(self, end: socket.socket) -> None:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
