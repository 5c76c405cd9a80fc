"""What may be held at a time: a source's connections, and files that are being fetched.

Wikimedia's dumps site allows three connections per address, however many workers run there. Each connection is a lock
file in a directory that threads and processes share; the kernel frees it when its holder dies, even by SIGKILL. A fleet
shares them by leases instead (worker/lease.py).
"""

from __future__ import annotations

import hashlib
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from models.errors import UsageError
from worker.source import origin

CONNECTIONS = 3
_POLL_SECONDS = (0.05, 0.2)
_FILE_LOCKS = 256

Budget = Callable[[], AbstractContextManager[None]]
"""Gives one connection for as long as the context is open; waits until one is free."""


@contextmanager
def hold_connection(directory: Path, source: str, limit: int = CONNECTIONS) -> Iterator[None]:
    """Hold one of a source's connections; wait, for as long as it takes, until one of them is free.

    Args:
        directory: where the lock files lie; they are empty, ``limit`` per source, and stay.
        source: a URL, of which scheme, host and port count.
        limit: how many connections the source allows; all who share the directory should agree on it.

    Raises:
        UsageError: the source is no URL, or the limit is below one.
        OSError: the directory cannot be written, or its file system has no kernel locks.
    """
    if limit < 1:
        raise UsageError(f"A source needs at least one connection, not {limit}.")
    name = source_key(source)
    directory.mkdir(parents=True, exist_ok=True)
    while (slot := _free_slot(directory, name, limit)) is None:
        time.sleep(random.uniform(*_POLL_SECONDS))  # noqa: S311 - spreads the polls, hides nothing
    try:
        yield
    finally:
        slot.release()


def source_key(source: str) -> str:
    """A name for the source's scheme, host and port: a hash, since their text comes from outside.

    Raises:
        UsageError: the source is no URL.
    """
    return hashlib.sha256(repr(origin(source)).encode()).hexdigest()[:16]


def _free_slot(directory: Path, name: str, limit: int) -> BaseFileLock | None:
    for number in range(limit):
        # Not a soft lock, which would outlive a killed holder; and any thread may release it.
        slot = FileLock(directory / f"{name}.{number}.lock", thread_local=False, fallback_to_soft=False)
        with suppress(Timeout):
            slot.acquire(blocking=False)
            return slot
    return None


def hold_file(into: Path) -> AbstractContextManager[object]:
    """Keep every other thread and process from fetching ``into``; waits for them. Re-entrant within a thread.

    The lock files, ``locks/00.lock`` to ``locks/ff.lock`` beside it, are empty and stay: removing one could let two
    holders in. Two files may share a lock, so nobody holds a second file while holding one.
    """
    locks = into.parent / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    name = f"{zlib.crc32(into.name.encode()) % _FILE_LOCKS:02x}.lock"
    return FileLock(locks / name, is_singleton=True, fallback_to_soft=False, poll_interval=0.1)
