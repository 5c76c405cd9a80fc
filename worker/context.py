"""What a process works with: its settings, its database, its way to the source, its clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from redis import Redis
from sqlalchemy import Engine

from models.version import VERSION
from worker.budget import hold_connection
from worker.fetch import Http, open_http
from worker.lease import hold_lease, open_leases
from worker.patience import Retries
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

    def budget(self, source: str) -> Callable[[], AbstractContextManager[None]]:
        """Gives one of the connections to the source, once one is free: the fleet's, or this machine's."""
        if self.leases is not None:
            return partial(hold_lease, self.leases, source)
        return partial(hold_connection, self.settings.data_dir / "connections", source)


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
