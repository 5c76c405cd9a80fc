"""What a process works with: its settings, its database, its way to the source, its clock."""

from __future__ import annotations

import datetime as dt
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from models.version import VERSION
from worker.budget import Budget, hold_any_connection
from worker.patience import PATIENT, Retries
from worker.phases import Stopwatch
from worker.settings import Settings
from worker.store.database import open_database

if TYPE_CHECKING:
    # Slow to import, and commands that only look at the database need neither.
    from redis import Redis

    from worker.client import Http


def _cores() -> int:
    return os.cpu_count() or 1


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """The handles of one process. Threads share it; a forked child must open its own."""

    settings: Settings
    engine: Engine = field(repr=False)
    retries: Retries
    now: Callable[[], dt.datetime] = utc_now
    leases: Redis | None = field(default=None, repr=False)
    away_seconds: float = 120.0
    """For how long a broker that does not answer is waited for."""
    freed: threading.Condition = field(default_factory=threading.Condition, repr=False, compare=False)
    """Tells threads that wait for a connection of this machine's."""
    cores: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_cores()), repr=False, compare=False)
    """Held while counting: more threads at once would count no sooner, and take more memory."""

    def open_http(self) -> Http:
        """A session of its own for each download: requests' sessions are not made for several threads."""
        from worker.client import open_http

        return open_http(self.settings.contact, VERSION)

    def budget(self, source: str) -> Budget:
        """Gives one of the connections to the source, once one is free.

        Raises:
            SourceUnreachable: on its use, if the source wants not to be asked for longer than one waits here.
        """
        return partial(self._hold, (source,))

    @contextmanager
    def connection(self, sources: Sequence[str], stopwatch: Stopwatch) -> Iterator[tuple[str, Budget]]:
        """Hold a connection to whichever source has one free first.

        Yields:
            That source, and its budget. The budget's first use is the connection that is held, which is given back when
            that use ends, or else with the block; each further use waits for another one of the same source.
        """
        with ExitStack() as held:
            source = held.enter_context(stopwatch.holding(self._hold(sources)))
            unused = [held]
            # Where another source is left, this one is not waited for long if it wants not to be asked meanwhile.
            again = replace(self, retries=self.retries.hasty()) if len(sources) > 1 else self
            yield source, lambda: unused.pop() if unused else stopwatch.holding(again.budget(source)())

    def _hold(self, sources: Sequence[str]) -> AbstractContextManager[str]:
        """A connection of the fleet's, or of this machine's."""
        if self.leases is not None:
            from worker.lease import hold_any_lease

            longest, away = self.retries.longest_wait, self.away_seconds
            return hold_any_lease(self.leases, sources, longest_wait=longest, away_seconds=away)
        directory = self.settings.data_dir / "connections"
        return hold_any_connection(directory, sources, freed=self.freed, longest_wait=self.retries.longest_wait)


def open_context(settings: Settings, *, retries: Retries | None = None) -> Context:
    """Open the database and everything else a task needs.

    Raises:
        SetupError: the database or the data directory cannot be used.
    """
    leases = _open_leases(settings.broker_url)
    return Context(
        settings=settings,
        engine=open_database(settings.database_url),
        # Only a broker's tasks have a time limit; without it a large dump may take as long as it comes.
        retries=retries or (PATIENT if leases is not None else replace(PATIENT, patience=math.inf)),
        leases=leases,
    )


def _open_leases(broker: str | None) -> Redis | None:
    if not broker or not broker.startswith("redis"):
        return None
    from worker.lease import open_leases

    return open_leases(broker)
