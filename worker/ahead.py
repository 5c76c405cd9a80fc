"""Work on the next items of a stream while earlier ones are used, in a few threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

THREADS = 2


def ahead(work: Callable[[_Given], _Made], items: Iterable[_Given]) -> Iterator[_Made]:
    """What ``map`` gives, with up to ``THREADS`` more items in work or done; so many more are in memory, too.

    It gains something where the work lets other threads go on, as polars, NumPy and decompression do. The items
    themselves are made in the caller's thread.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="ahead") as threads:
        pending: deque[Future[_Made]] = deque()
        for item in items:
            pending.append(threads.submit(work, item))
            if len(pending) > THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
