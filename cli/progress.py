"""Progress on stderr: a bar on a terminal, a plain line every ten seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console

from cli.render.safe import visible
from models.dump_run import DumpState, DumpTable
from models.tables import HourState
from worker.progress import IndexProgress
from worker.progress import Progress as Standing

LINE_SECONDS = 10
_MEGABYTE = 1e6


class Reporter(Protocol):
    """Told where the work stands, as often as that is known."""

    def __call__(self, standing: Standing) -> None: ...


@contextmanager
def reporting(*, quiet: bool) -> Iterator[Reporter]:
    """A reporter that suits stderr."""
    console = Console(stderr=True, soft_wrap=True)
    with _warnings_on(console):
        if quiet:
            yield lambda _standing: None
        elif console.is_terminal and not console.is_dumb_terminal:
            with _bar(console) as bar:
                yield bar
        else:
            yield _Lines(console)


def standing_in_words(standing: Standing, megabytes_per_second: float) -> str:
    """``12.3 MB, 4.1 MB/s, 1 missing`` for what was counted so far."""
    words = [f"{standing.size / _MEGABYTE:.1f} MB", f"{megabytes_per_second:.1f} MB/s"]
    words += [
        f"{number} {state}"
        for state, number in sorted(standing.hours.items())
        if number and state not in (HourState.WAITING, HourState.COUNTED)
    ]
    words += [index_in_words(index) for index in standing.indexes if index.state is DumpState.WAITING]
    if standing.unranked and not standing.waiting and not standing.indexing:
        words.append("ranking")
    return ", ".join(words)


def index_in_words(index: IndexProgress) -> str:
    """``index of de.wikipedia 2024-01-01: 2 of 5 tables, 812.4 of 2,011.0 MB``."""
    if index.run is None or not index.size:
        return f"index of {index.project}: looking for a dump run"
    what = f"index of {index.project} {index.run}"
    if index.tables == len(DumpTable):
        return f"{what}: building"
    fetched, size = (f"{part / _MEGABYTE:,.1f}" for part in (index.fetched, index.size))
    return f"{what}: {index.tables} of {len(DumpTable)} tables, {fetched} of {size} MB"


class _Speed:
    """Megabytes per second since the first look: what was counted before does not belong to this run."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def __call__(self, size: int) -> float:
        now = time.monotonic()
        if self._first is None:
            self._first = now, size
        seconds = now - self._first[0]
        return (size - self._first[1]) / _MEGABYTE / seconds if seconds else 0.0


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._speed = _Speed()
        self._due = time.monotonic() + LINE_SECONDS

    def __call__(self, standing: Standing) -> None:
        speed = self._speed(standing.size)
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + LINE_SECONDS
        done = standing.total - standing.waiting
        line = f"hours {done}/{standing.total}: {standing_in_words(standing, speed)}"
        self._console.print(line, markup=False, highlight=False)


@contextmanager
def _bar(console: Console) -> Iterator[Reporter]:
    # Slow to import, and only a terminal gets a bar.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("hours"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeRemainingColumn(),
    )
    speed = _Speed()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=None, words="")

        def show(standing: Standing) -> None:
            words = standing_in_words(standing, speed(standing.size))
            done = standing.total - standing.waiting
            progress.update(task, total=standing.total, completed=done, words=words)

        yield show


class _Warnings(logging.Handler):
    """Shows warnings through the console, so that they do not break the bar; on one line each, for grep."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(visible(record.getMessage()), markup=False, highlight=False)
        if record.exc_info:
            self._console.print("".join(traceback.format_exception(*record.exc_info)), markup=False, highlight=False)


@contextmanager
def _warnings_on(console: Console) -> Iterator[None]:
    handler = _Warnings(console)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
