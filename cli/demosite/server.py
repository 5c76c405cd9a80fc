"""A loopback HTTP/1.1 server of a folder, with the manners of Wikimedia's dumps site and whatever faults are asked for.

with serve(directory, [Fault("*.gz", TooMany(), times=1)]) as site:
    ... site.url, site.log, site.most_at_once, site.misbehave(...), site.behave()
"""

from __future__ import annotations

import re
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from cli.demosite.faults import Fault, Misbehaviour
from cli.demosite.folder import listing, locate, served_file
from cli.demosite.ledger import Transfer
from cli.demosite.reply import Content, Reply, Request, error_reply, file_reply, html_reply
from cli.demosite.site import Site

HOST = "127.0.0.1"

# Wikimedia's policy since 2026: an agent that is empty or only names its library is turned away.
_GENERIC_AGENT = re.compile(
    r"(python-requests|python-urllib|python-httpx|curl|wget|axios|aiohttp|go-http-client|okhttp|java)(/|$)|\s*$",
    re.IGNORECASE,
)
_CHUNK = 65_536
_TICK = 0.02
_GOODBYE = 5.0
"""Seconds that running requests have to end when the server closes."""


@contextmanager
def serve(directory: Path, behaviour: Iterable[Fault] = (), *, port: int = 0) -> Iterator[Site]:
    """Serve a directory on loopback until the block ends; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    site = Site(directory.resolve(), behaviour)
    server = _Server(site, port)
    site.url = f"http://{HOST}:{server.server_port}"
    loop = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _TICK}, daemon=True)
    loop.start()
    try:
        yield site
    finally:
        server.shutdown()
        loop.join()
        server.close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks DNS for the host's name here, which a machine without a network pays for in seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._changed:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - the base class's own type
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base class's own types
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Break every open connection, wait for its thread, and free the port."""
        self.site.closing.set()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, _GOODBYE)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demosite"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        request, reply = self._answer()
        if not reply.is_transfer:
            self._send(request, reply)
            return
        with Transfer(self.server.site.ledger, reply.at_most) as transfer:
            chosen = reply if transfer.admitted else reply.past_limit or reply
            self._send(request, chosen, transfer.end)

    def do_HEAD(self) -> None:
        self._send(*self._answer())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the base class's own signature
        """Stay quiet; the ledger knows."""

    def _answer(self) -> tuple[Request, Reply]:
        site, request = self.server.site, self._request()
        if _GENERIC_AGENT.match(request.agent):
            return request, error_reply(HTTPStatus.FORBIDDEN)
        kind, request = site.behaviour.strike(request)
        return request, kind.bend_reply(_found(site.root, kind, request), request)

    def _request(self) -> Request:
        path = unquote(self.path.partition("?")[0]).lstrip("/")
        agent = self.headers.get("User-Agent", "")
        return Request(self.command, path, self.headers.get("Range"), self.headers.get("If-Range"), agent)

    def _send(self, request: Request, reply: Reply, end_transfer: Callable[[], None] = lambda: None) -> None:
        self.server.site.ledger.record(request, reply.status)
        self._pause(reply.stall)
        self.send_response(reply.status)
        for name, value in (*reply.headers, ("Content-Length", str(reply.length))):
            self.send_header(name, value)
        self.end_headers()
        if request.method == "GET":
            self._send_body(reply.body[: reply.cut_after], reply.rate, end_transfer)
            self.close_connection = self.close_connection or reply.closes

    def _send_body(self, body: Content, rate: float | None, end_transfer: Callable[[], None]) -> None:
        # Who has the last byte may ask for the next file at once, and must not find this transfer still counted.
        self._write(body[:-1], rate)
        end_transfer()
        self._write(body[-1:], None)

    def _write(self, body: Content, rate: float | None) -> None:
        step = _CHUNK if rate is None else max(1, min(_CHUNK, int(rate * _TICK)))
        began = time.monotonic()
        for start in range(0, len(body), step):
            if rate is not None:
                self._pause(began + start / rate - time.monotonic())
            piece = body[start : start + step]
            sent = self.wfile.write(bytes(piece))
            if sent < len(piece):
                # The file has become shorter meanwhile: what was announced cannot come any more.
                raise ConnectionAbortedError

    def _pause(self, seconds: float) -> None:
        if seconds > 0 and self.server.site.closing.wait(seconds):
            raise ConnectionAbortedError


def _found(root: Path, kind: Misbehaviour, request: Request) -> Reply:
    place = locate(root, request.path)
    if place is None or (place.is_file() and request.path.endswith("/")):
        return error_reply(HTTPStatus.NOT_FOUND)
    if place.is_file():
        return file_reply(kind.bend_file(served_file(place), request), request)
    if request.path and not request.path.endswith("/"):
        return html_reply(HTTPStatus.MOVED_PERMANENTLY, "301 Moved Permanently", (("Location", _folder_url(request)),))
    return listing(place, request.path)


def _folder_url(request: Request) -> str:
    return f"/{quote(request.path)}/"
