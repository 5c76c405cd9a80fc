"""The exporter's little web server: ``/metrics``, and ``/-/healthy`` for probes, which asks nobody."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from models.errors import SetupError

App = Callable[..., Iterable[bytes]]

_IDLE_SECONDS = 10.0
_log = logging.getLogger(__name__)


def route(metrics: App) -> App:
    """The application of the whole server, given the one that answers ``/metrics``."""

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start_response)
        status, body = ("200 OK", b"ok\n") if path == "/-/healthy" else ("404 Not Found", b"See /metrics.\n")
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [body]

    return application


@contextmanager
def serving(application: App, address: str, port: int) -> Iterator[str]:
    """Serve while the block runs; gives the URL.

    Args:
        application: answers the requests, several at a time.
        address: of this machine: a name, an IPv4 or an IPv6 address.
        port: 0 takes one that is free.

    Raises:
        SetupError: nothing can listen there.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        kind: type[_Server] = type("Server", (_Server,), {"address_family": family})
        server = make_server(str(place[0]), port, application, kind, handler_class=_Handler)
    except OSError as error:
        raise SetupError(f"Nothing can listen at {address}, port {port} ({error.strerror}).") from None
    with server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        shown = f"[{address}]" if ":" in address else address
        yield f"http://{shown}:{server.server_port}"
        server.shutdown()


@contextmanager
def until_told_to_end() -> Iterator[Callable[[], object]]:
    """Gives what waits for SIGTERM or SIGINT. Threads that begin in the block leave these signals to it."""
    ends = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        yield lambda: signal.sigwait(ends)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Server(ThreadingMixIn, WSGIServer):
    """A thread per request; none keeps the process from ending."""

    daemon_threads = True
    request_queue_size = 16

    def server_bind(self) -> None:
        # As the base does, but without asking a name server what this machine is called.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as the base has it
        _log.info("%s went away before it was answered", client_address)


class _Handler(WSGIRequestHandler):
    timeout = _IDLE_SECONDS

    def log_message(self, *_: object) -> None:
        """A scrape each few seconds is no news."""
