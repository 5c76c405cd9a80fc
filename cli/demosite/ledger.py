"""What a server has been asked, and how many transfers ran at once. Safe to share between threads."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cli.demosite.reply import Request


@dataclass(frozen=True, slots=True)
class Logged:
    """One answered request. ``at`` is ``time.monotonic()`` when the answer began; ``path`` has no leading slash."""

    method: str
    path: str
    status: int
    range: str | None
    agent: str
    at: float


class Ledger:
    """The log, the transfers running now, and the most that ever ran at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: list[Logged] = []
        self._running = 0
        self._most_at_once = 0

    @property
    def log(self) -> tuple[Logged, ...]:
        with self._lock:
            return tuple(self._log)

    @property
    def most_at_once(self) -> int:
        with self._lock:
            return self._most_at_once

    def record(self, request: Request, status: int) -> None:
        entry = Logged(request.method, request.path, status, request.range, request.agent, time.monotonic())
        with self._lock:
            self._log.append(entry)

    def forget(self) -> None:
        """Start anew; transfers that are running now still count."""
        with self._lock:
            self._log.clear()
            self._most_at_once = self._running

    def admit(self, at_most: int | None) -> bool:
        """Count one more transfer in, unless as many as allowed are running."""
        with self._lock:
            if at_most is not None and self._running >= at_most:
                return False
            self._running += 1
            self._most_at_once = max(self._most_at_once, self._running)
            return True

    def dismiss(self) -> None:
        with self._lock:
            self._running -= 1


class Transfer:
    """A place among the running transfers, given up at the end of the block or earlier by ``end()``."""

    def __init__(self, ledger: Ledger, at_most: int | None = None) -> None:
        self._ledger = ledger
        self.admitted = ledger.admit(at_most)
        self._running = self.admitted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        if self._running:
            self._running = False
            self._ledger.dismiss()
