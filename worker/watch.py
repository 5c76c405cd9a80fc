"""Ends a transfer from outside when its time is up or its lease is lost, whatever it is waiting for just then.

A check between two chunks is too late for a head, a handshake or trailers that never end.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial

from worker.lease_held import check_lease
from worker.patience import Interrupted

_POLL_SECONDS = 0.2


class Watch:
    """One transfer that is watched. What is read of a connection counts only if ``check`` passes afterwards."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._opened: list[socket.socket] = []
        self._why: Interrupted | None = None
        self._over = threading.Event()

    def add(self, connection: socket.socket) -> None:
        """Watch this connection, too."""
        with self._lock:
            # A handle of its own: what becomes of the given one, TLS for example, does not matter.
            self._opened.append(connection.dup())
            if self._why is not None:
                self._shut_down()

    def check(self) -> None:
        """Go on only if there is time left and the lease is still held, and was all the while.

        Raises:
            Interrupted: it is not so; the connections are shut down, or will be in a moment.
        """
        if self._why is not None:
            raise self._why
        check_lease()
        if time.monotonic() >= self._ends:
            raise Interrupted(f"the transfer took more than {self._seconds:.3g} s")

    def run(self) -> None:
        """Watch until ``stop``; runs in a thread."""
        pause = 0.0
        while not self._over.wait(pause):
            try:
                self.check()
            except Interrupted as why:
                with self._lock:
                    self._why = why
                    self._shut_down()
                return
            pause = max(0.0, min(_POLL_SECONDS, self._ends - time.monotonic()))

    def stop(self) -> None:
        """Watch no longer."""
        self._over.set()

    def close(self) -> None:
        """Shut down whatever is still open: also what a server keeps open for a next request."""
        self._shut_down()
        for connection in self._opened:
            connection.close()

    def _shut_down(self) -> None:
        for connection in self._opened:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def watching(seconds: float) -> Iterator[Watch]:
    """Watch what is done in the block, with the lease that this thread holds, for so many seconds at most."""
    watch = Watch(seconds)
    # The lease is known to this thread's context only.
    thread = threading.Thread(target=partial(copy_context().run, watch.run), name="wikiq-watch", daemon=True)
    try:
        thread.start()
        yield watch
    finally:
        watch.stop()
        if thread.ident is not None:
            thread.join()
        watch.close()
