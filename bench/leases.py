"""Downloads of a fixed duration through leases in a Redis of their own, from one source and from several."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue

from redis import Redis
from redis.exceptions import RedisError

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
    with _redis() as client:
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


@contextmanager
def _redis() -> Iterator[Redis]:
    """A server that is old enough to give leases."""
    server = shutil.which("redis-server")
    if server is None:
        raise FileNotFoundError("redis-server is not installed")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as directory:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 its arguments are made here
        try:
            with open_leases(f"redis://127.0.0.1:{port}/0") as client:
                while _age(client) < YOUNG_SECONDS:
                    time.sleep(0.1)
                yield client
        finally:
            process.terminate()
            process.wait()


def _age(client: Redis) -> int:
    try:
        return int(client.info("server")["uptime_in_seconds"])
    except RedisError:
        return 0
