"""What tests of leases need: who contends for connections, in threads and processes, and a look at the keys."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import redis

from worker.lease import hold_any_lease
from worker.lease_held import check_lease

SOURCE = "https://dumps.wikimedia.org"
EXPIRY = 1.2
"""Seconds; renewed each 0.2."""


def age(client: redis.Redis) -> int:
    return client.info("server")["uptime_in_seconds"]


def wait_for(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def keys(client: redis.Redis, part: str) -> list[bytes]:
    return list(client.scan_iter(f"wikiq:lease:*:{part}"))


def count(client: redis.Redis, part: str) -> int:
    return sum(client.zcard(key) for key in keys(client, part))


class Contender:
    """A thread that holds a connection, to the source or to any of them, until it is told to leave."""

    def __init__(
        self, client: redis.Redis, source: str | Sequence[str] = SOURCE, limit: int = 1, expiry: float = EXPIRY
    ) -> None:
        self.entered, self.told, self.error = threading.Event(), threading.Event(), None
        self.source: str | None = None
        sources = (source,) if isinstance(source, str) else source
        self._hold = hold_any_lease(client, sources, limit, expiry_seconds=expiry)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._hold as self.source:
                self.entered.set()
                while not self.told.wait(0.02):
                    check_lease()
        except Exception as error:  # noqa: BLE001 - what it is is the tests' question
            self.error = error

    def is_in(self, within: float = 5) -> bool:
        return self.entered.wait(within)

    def ends(self, within: float = 5) -> bool:
        self._thread.join(within)
        return not self._thread.is_alive()

    def leave(self) -> None:
        self.told.set()
        assert self.ends()


@contextmanager
def contending(*arguments: object, **more: object) -> Iterator[Contender]:
    contender = Contender(*arguments, **more)
    try:
        yield contender
    finally:
        contender.leave()


@contextmanager
def process(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)
    with started:
        try:
            yield started
        finally:
            started.kill()
