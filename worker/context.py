"""What a process works with: its settings, its database, its way to the source, its clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from redis import Redis
from sqlalchemy import Engine

from models.version import VERSION
from worker.budget import Budget, hold_any_connection
from worker.fetch import Http, open_http
from worker.lease import hold_any_lease, open_leases
from worker.patience import Retries
from worker.phases import Stopwatch
from worker.settings import Settings
from worker.store.database import open_database


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

    def open_http(self) -> Http:
        """A session of its own for each download: requests' sessions are not made for several threads."""
        return open_http(self.settings.contact, VERSION)

    def budget(self, source: str) -> Budget:
        """Gives one of the connections to the source, once one is free."""
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
            yield source, lambda: unused.pop() if unused else stopwatch.holding(self._hold((source,)))

    def _hold(self, sources: Sequence[str]) -> AbstractContextManager[str]:
        """A connection of the fleet's, or of this machine's."""
        if self.leases is not None:
            return hold_any_lease(self.leases, sources)
        return hold_any_connection(self.settings.data_dir / "connections", sources)


def open_context(settings: Settings, *, retries: Retries | None = None) -> Context:
    """Open the database and everything else a task needs.

    Raises:
        SetupError: the database or the data directory cannot be used.
    """
    broker = settings.broker_url
    return Context(
        settings=settings,
        engine=open_database(settings.database_url),
        retries=retries or Retries(),
        leases=open_leases(broker) if broker and broker.startswith("redis") else None,
    )
