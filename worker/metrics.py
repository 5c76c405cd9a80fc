"""What there is to be seen of wikiq: the database's figures (the truth) and the broker's (what is under way).

Both are read anew each time, and neither can make the other wait: one that is away is missing from what was seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeVar

from redis.exceptions import RedisError

from models.errors import BrokerUnreachable, WikiqError
from worker.budget import source_key
from worker.lease import open_leases
from worker.queues import KEY_PREFIX, QUEUES, in_flight_keys
from worker.single_flight import SingleFlight
from worker.source import shown_origin
from worker.store.figures import DatabaseFigures, open_hastily, read_figures

if TYPE_CHECKING:
    from redis import Redis
    from sqlalchemy import Engine

    from worker.settings import Settings

GROUPS = tuple(group for size in (1, 2, 3) for group in combinations(sorted(QUEUES), size))
"""What a worker can take tasks from; those that take from the same queues note together what they work on."""

PATIENCE_SECONDS = 8.0
"""Prometheus itself waits for 10 s unless told otherwise."""

_Figures = TypeVar("_Figures")


@dataclass(frozen=True, slots=True)
class InFlight:
    """Tasks that workers hold, and how many seconds ago the oldest of them was delivered; 0 where there is none."""

    tasks: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Leases:
    """A source's connections that are in use in the fleet, and downloads that wait for one."""

    source: str
    held: int
    waiting: int


@dataclass(frozen=True, slots=True)
class BrokerFigures:
    """Messages that nobody works on, by queue; tasks in flight, by what their workers take from; leases by source."""

    messages: Mapping[str, int]
    in_flight: Mapping[tuple[str, ...], InFlight]
    leases: tuple[Leases, ...]


@dataclass(frozen=True, slots=True)
class Metrics:
    """What was seen. ``away`` says of ``database`` and ``broker`` why it is missing; no password is in it."""

    database: DatabaseFigures | None
    broker: BrokerFigures | None
    away: Mapping[str, str] = field(default_factory=dict)


class Observer:
    """Looks at the database and the broker of these settings. Threads may share it."""

    def __init__(self, settings: Settings, patience: float = PATIENCE_SECONDS) -> None:
        """Connects to nothing yet.

        Raises:
            UsageError: the broker's URL cannot be read.
        """
        broker = settings.broker_url
        redis = open_leases(broker) if broker and broker.startswith("redis") else None
        sources = [*settings.sources, settings.source_of_dumps(None)]
        self._url, self._patience = settings.database_url, patience
        self._engine: Engine | None = None
        self._database = SingleFlight(self._read_database)
        self._broker = SingleFlight(lambda: read_broker(redis, sources)) if redis else None

    def look(self) -> Metrics:
        """What there is now; takes no longer than the patience."""
        asked = self._database.ask(), self._broker.ask() if self._broker else None
        until = time.monotonic() + self._patience
        away: dict[str, str] = {}
        database = self._wait("database", asked[0], until, away)
        broker = self._wait("broker", asked[1], until, away) if asked[1] else None
        return Metrics(database, broker, away)

    def _read_database(self) -> DatabaseFigures:
        # Only one thread at a time is here.
        if self._engine is None:
            self._engine = open_hastily(self._url)
        return read_figures(self._engine)

    def _wait(self, name: str, asked: Future[_Figures], until: float, away: dict[str, str]) -> _Figures | None:
        try:
            return asked.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            away[name] = f"The {name} does not answer within {self._patience:g} s."
        except WikiqError as error:
            away[name] = str(error)
        return None


def read_broker(redis: Redis, sources: Iterable[str]) -> BrokerFigures:
    """Queues, tasks in flight, and leases of these sources.

    Raises:
        BrokerUnreachable: Redis does not answer.
    """
    try:
        return _read_broker(redis, {source_key(source): shown_origin(source) for source in sources})
    except RedisError as error:
        raise BrokerUnreachable(f"The broker does not answer ({type(error).__name__}).") from error


def _read_broker(redis: Any, sources: Mapping[str, str]) -> BrokerFigures:  # noqa: ANN401 - see below
    # redis-py declares answers for synchronous and asynchronous clients alike.
    seconds, microseconds = redis.time()
    with redis.pipeline(transaction=False) as commands:
        for queue in QUEUES:
            commands.llen(f"{KEY_PREFIX}{queue}")
        for group in GROUPS:
            keys = in_flight_keys(group)
            commands.hlen(KEY_PREFIX + keys["unacked_key"])
            # A sorted set by the time of delivery (unix).
            commands.zrange(KEY_PREFIX + keys["unacked_index_key"], 0, 0, withscores=True)
        for key in sources:
            # Scores are microseconds; what is over is removed only when somebody asks for a lease.
            for part in ("held", "alive"):
                commands.zcount(f"{KEY_PREFIX}lease:{key}:{part}", f"({seconds * 10**6 + microseconds}", "+inf")
        answers = iter(commands.execute())
    return BrokerFigures(
        messages={queue: next(answers) for queue in QUEUES},
        in_flight={group: InFlight(next(answers), _age(next(answers), seconds)) for group in GROUPS},
        leases=tuple(Leases(source, next(answers), next(answers)) for source in sources.values()),
    )


def _age(oldest: list[tuple[bytes, float]], now: float) -> float:
    # A worker's clock may be ahead of Redis'.
    return max(0.0, now - oldest[0][1]) if oldest else 0.0
