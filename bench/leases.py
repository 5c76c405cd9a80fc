"""Downloads of a fixed duration through leases in a Redis of their own, from one source and from several."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

from redis import Redis

from bench.system import redis
from worker.budget import CONNECTIONS
from worker.lease import hold_any_lease, open_leases

EXPIRY_SECONDS = 6.0
YOUNG_SECONDS = 4
"""A server that has run for less gives no leases of this expiry."""


def measure(sources: Sequence[int], downloads: int, seconds: float, threads: int) -> list[dict[str, float]]:
    """How long the downloads take with each number of sources, and how long they would without any loss.

    Raises:
        FileNotFoundError: there is no redis-server.
    """
    with redis(age=YOUNG_SECONDS) as url, open_leases(url) as client:
        return [
            {
                "sources": number,
                "seconds": _run(client, number, downloads, seconds, threads),
                "ideal": -(-downloads // min(number * CONNECTIONS, threads)) * seconds,
            }
            for number in sources
        ]


def _run(client: Redis, sources: int, downloads: int, seconds: float, threads: int) -> float:
    names = [f"https://source-{number}.example.org" for number in range(sources)]
    todo: SimpleQueue[bool] = SimpleQueue()
    for left in [True] * downloads + [False] * threads:
        todo.put(left)

    def work() -> None:
        while todo.get():
            with hold_any_lease(client, names, expiry_seconds=EXPIRY_SECONDS):
                time.sleep(seconds)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.monotonic() - began
