"""Work on the next items of a stream while earlier ones are used, in a few threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

THREADS = 3
"""Each waits for polars' own threads now and then; why three, decision 0018 tells."""
AHEAD = 2


def ahead(
    work: Callable[[_Given], _Made], items: Iterable[_Given], threads: Executor | None = None, many: int = AHEAD
) -> Iterator[_Made]:
    """What ``map`` gives, with up to ``many`` more items in work or done; so many more are in memory, too.

    It gains something where the work lets other threads go on, as polars, NumPy and decompression do. The items
    themselves are made in the caller's thread. Who has several such streams at once gives them the same threads; then
    the work begins at once, and not when the first result is asked for.
    """
    if threads is None:
        return _in_own_threads(work, items, many)
    coming = (threads.submit(work, item) for item in items)
    return _results(deque(islice(coming, many)), coming)


def _in_own_threads(work: Callable[[_Given], _Made], items: Iterable[_Given], many: int) -> Iterator[_Made]:
    with some_threads() as threads:
        yield from ahead(work, items, threads, many)


def _results(pending: deque[Future[_Made]], coming: Iterator[Future[_Made]]) -> Iterator[_Made]:
    while True:
        pending.extend(islice(coming, 1))
        if not pending:
            return
        # No name is given to a future: its error's traceback would hold this frame, and that the future.
        yield pending.popleft().result()


def some_threads() -> ThreadPoolExecutor:
    """``THREADS`` threads."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="ahead")
