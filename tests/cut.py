"""A TCP relay on loopback between a client and its server, whose line a test can cut, hold, and open again.

with relay(6379) as line:
    ... line.port
    line.drop()     every connection breaks; new ones pass
    line.cut()      every connection breaks; new ones are refused
    line.hold()     connections stay, and nothing passes: as when a cable is pulled
    line.open()     everything passes again, also what was held
    line.lead_to(6380)  new connections go to another server, as if that one had been replaced
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65_536


class Line:
    """The relay's state. ``made`` counts the connections that were accepted so far."""

    def __init__(self, port: int) -> None:
        self._server = port
        # Bound and never listening: keeps the port this relay's while its line is cut.
        self._place = _bound(0)
        self.port: int = self._place.getsockname()[1]
        self.made = 0
        self._lock = threading.Lock()
        self._passing = threading.Event()
        self._ends: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def lead_to(self, port: int) -> None:
        self._server = port

    def open(self) -> None:
        self._passing.set()
        with self._lock:
            if self._listener is None:
                self._listener = _bound(self.port)
                self._listener.listen(128)
                threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def hold(self) -> None:
        self._passing.clear()

    def drop(self) -> None:
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            _end(end)

    def cut(self) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            _end(listener)
            listener.close()
        self.drop()
        self._passing.set()

    def close(self) -> None:
        self.cut()
        self._place.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._server))
        except OSError:
            client.close()
            return
        with self._lock:
            self.made += 1
            self._ends |= {client, server}
            cut = self._listener is None
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if cut:
            self.drop()
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        with self._lock:
            self._ends -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                self._passing.wait()
                sink.sendall(chunk)
        _end(sink)


@contextmanager
def relay(port: int) -> Iterator[Line]:
    """An open line to a port of loopback, until the block ends."""
    line = Line(port)
    line.open()
    try:
        yield line
    finally:
        line.close()


def _bound(port: int) -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    return found


def _end(found: socket.socket) -> None:
    with suppress(OSError):
        found.shutdown(socket.SHUT_RDWR)
