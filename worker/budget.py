"""What may be held at a time: a source's connections, and files that are being fetched.

Wikimedia's dumps site allows three connections per address, however many workers run there. Each connection is a lock
file in a directory that threads and processes share; the kernel frees it when its holder dies, even by SIGKILL. A file
beside them tells by its time until when the source wants not to be asked. A fleet shares connections by leases instead
(worker/lease.py).
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import product
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from models.errors import UsageError
from worker.patience import Interrupted, put_off
from worker.source import origin, shown_origin

CONNECTIONS = 3
LONGEST_PUT_OFF = 3600.0
"""Seconds; whatever a source asks for, it is asked again after an hour."""
_POLL_SECONDS = (0.05, 0.2)
_FILE_LOCKS = 256

Budget = Callable[[], AbstractContextManager[object]]
"""Gives one connection for as long as the context is open; waits until one is free."""


def files_at_once(connections: int, cores: int) -> int:
    """Files that one machine works on without a broker: one on each connection, and those that are counted meanwhile.

    The latter are as many as one source's connections bring at once, or as its cores can count if that is more; and one
    more, in whose place a day is ranked now and then, as long as several files take to download.
    """
    return connections + max(CONNECTIONS, cores) + 1


def hold_connection(directory: Path, source: str, limit: int = CONNECTIONS) -> AbstractContextManager[str]:
    """Hold one of a source's connections, as ``hold_any_connection`` does one of several sources'."""
    return hold_any_connection(directory, (source,), limit)


@contextmanager
def hold_any_connection(
    directory: Path,
    sources: Sequence[str],
    limit: int = CONNECTIONS,
    freed: threading.Condition | None = None,
    *,
    longest_wait: float = math.inf,
) -> Iterator[str]:
    """Hold one connection, to whichever source has one free first; wait, for as long as it takes.

    A source has none free while it wants not to be asked. An ``Interrupted`` that leaves the block may say so.

    Args:
        directory: where the lock files lie; they are empty, ``limit`` per source, and stay.
        sources: URLs, of which scheme, host and port count; those that share them share their connections.
        limit: how many connections each source allows; all who share the directory should agree on it.
        freed: threads that share it are told at once when one of them gives a connection back; what other processes
            give back is seen a little later.
        longest_wait: seconds to wait at most for sources all of which want not to be asked.

    Yields:
        The source whose connection it is.

    Raises:
        UsageError: there is no source, one of them is no URL, or the limit is below one.
        OSError: the directory cannot be written, or its file system has no kernel locks.
        SourceUnreachable: no source wants to be asked soon enough.
    """
    if limit < 1:
        raise UsageError(f"A source needs at least one connection, not {limit}.")
    names, freed = source_keys(sources), freed or threading.Condition()
    directory.mkdir(parents=True, exist_ok=True)
    with freed:
        while (found := _free_slot(directory, names, limit)) is None:
            if (seconds := min(_put_off(directory, name) for name in names)) > longest_wait:
                raise put_off(" or ".join(map(shown_origin, sources)), seconds)
            freed.wait(random.uniform(*_POLL_SECONDS))  # noqa: S311 - spreads the polls, hides nothing
    name, slot = found
    try:
        yield sources[names.index(name)]
    except Interrupted as interrupted:
        _put_it_off(directory, name, interrupted.retry_after)
        raise
    finally:
        slot.release()
        with freed:
            freed.notify_all()


def source_keys(sources: Sequence[str]) -> tuple[str, ...]:
    """The ``source_key`` of each source.

    Raises:
        UsageError: there is no source, or one of them is no URL.
    """
    if not sources:
        raise UsageError("There is no source to ask.")
    return tuple(map(source_key, sources))


def source_key(source: str) -> str:
    """A name for the source's scheme, host and port: a hash, since their text comes from outside.

    Raises:
        UsageError: the source is no URL.
    """
    return hashlib.sha256(repr(origin(source)).encode()).hexdigest()[:16]


def _free_slot(directory: Path, names: Sequence[str], limit: int) -> tuple[str, BaseFileLock] | None:
    asked = [name for name in names if not _put_off(directory, name)]
    for name, number in product(asked, range(limit)):
        # Not a soft lock, which would outlive a killed holder; and any thread may release it.
        slot = FileLock(directory / f"{name}.{number}.lock", thread_local=False, fallback_to_soft=False)
        with suppress(Timeout):
            slot.acquire(blocking=False)
            return name, slot
    return None


def _put_off(directory: Path, name: str) -> float:
    """Seconds for which the source wants not to be asked."""
    try:
        seconds = (directory / f"{name}.later").stat().st_mtime - time.time()
    except FileNotFoundError:
        return 0.0
    # One further ahead than any wait was written before the clock was set back.
    return seconds if 0 < seconds <= LONGEST_PUT_OFF else 0.0


def _put_it_off(directory: Path, name: str, seconds: float) -> None:
    wanted = min(seconds, LONGEST_PUT_OFF)
    if wanted > _put_off(directory, name):
        path = directory / f"{name}.later"
        path.touch()
        until = time.time() + wanted
        os.utime(path, (until, until))


def hold_file(into: Path) -> AbstractContextManager[object]:
    """Keep every other thread and process from fetching ``into``; waits for them. Re-entrant within a thread.

    The lock files, ``locks/00.lock`` to ``locks/ff.lock`` beside it, are empty and stay: removing one could let two
    holders in. Two files may share a lock, so nobody holds a second file while holding one.
    """
    locks = into.parent / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    name = f"{zlib.crc32(into.name.encode()) % _FILE_LOCKS:02x}.lock"
    return FileLock(locks / name, is_singleton=True, fallback_to_soft=False, poll_interval=0.1)
