"""The HTTP client: who it says it is, what it believes, and whom it does not ask."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from models.errors import SourceRefused, UsageError
from worker.patience import SET_CONTACT
from worker.source import is_wikimedia, origin
from worker.watch import Watch, watching


class Http(requests.Session):
    """Follows no redirect on its own, reads no environment, and asks Wikimedia nothing without a contact."""

    def __init__(self, contact: str, version: str) -> None:
        super().__init__()
        self._contact = contact
        self._watch: Watch | None = None
        self.trust_env = False
        comment = f"({contact}) " if contact else ""
        self.headers["User-Agent"] = f"wikiq/{version} {comment}python-requests/{requests.__version__}"
        self.headers["Accept-Encoding"] = "identity"
        self.headers["Connection"] = "close"
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self._opened))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would read a redirect's whole body into memory before looking where it leads."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        url = request.url or ""
        if not self._contact and is_wikimedia(url):
            raise SourceRefused(f"{origin(url)[1]} is not asked without a contact: {SET_CONTACT}.")
        return super().send(request, **kwargs)

    @contextmanager
    def watching(self, seconds: float) -> Iterator[Watch]:
        """Shut every connection that is opened in the block down after so many seconds, or when the lease is lost.

        None outlives the block: neither at the source nor as an open descriptor of this process.
        """
        with watching(seconds) as watch:
            self._watch = watch
            try:
                yield watch
            finally:
                self._watch = None
                self.close()

    def _opened(self, connection: socket.socket) -> None:
        if self._watch is not None:
            self._watch.add(connection)


def open_http(contact: str | None, version: str) -> Http:
    """A session whose User-Agent is what https://foundation.wikimedia.org/wiki/Policy:User-Agent_policy asks for.

    Raises:
        UsageError: the contact cannot stand in a header.
    """
    text = (contact or "").strip(" ")
    if not (text.isascii() and text.isprintable()):
        raise UsageError(f"The contact must be one line of plain ASCII text: {SET_CONTACT}.")
    return Http(text, version)


class _Adapter(HTTPAdapter):
    """Tells of every connection as soon as it is open, before the first byte and before a handshake."""

    def __init__(self, opened: Callable[[socket.socket], None]) -> None:
        self._opened = opened
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, **kwargs)
        opened = self._opened

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _told(super()._new_conn(), opened)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _told(super()._new_conn(), opened)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _told(connection: socket.socket, opened: Callable[[socket.socket], None]) -> socket.socket:
    opened(connection)
    return connection
