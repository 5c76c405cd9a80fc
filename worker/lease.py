"""A source's connections, shared by a whole fleet: each is a lease in Redis. See docs/decisions/0012.

============================== =====================================================================
wikiq:lease:{source}:held      sorted set, holder → when its lease ends
wikiq:lease:{source}:waiting   sorted set, waiter → when it came: who came first is served first
wikiq:lease:{source}:alive     sorted set, waiter → when it counts as gone unless it asks again
wikiq:lease:{source}:later     there for as long as the source wants not to be asked: nobody gets a connection
============================== =====================================================================

Times are microseconds on Redis' own clock; ``{source}`` is a hash; holders and waiters are random tokens. Who may fetch
from several sources waits for all of them under one token, and one step gives it a connection and ends its other waits.
"""

from __future__ import annotations

import logging
import math
import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import stamina
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from models.errors import BrokerUnreachable, UsageError
from worker.budget import CONNECTIONS, LONGEST_PUT_OFF, source_keys
from worker.lease_held import current_lease
from worker.lease_scripts import ASK, PUT_OFF, RENEW
from worker.patience import Interrupted, put_off
from worker.queues import KEY_PREFIX
from worker.source import shown_origin

EXPIRY_SECONDS = 30.0
AWAY_SECONDS = 120.0

_SOCKET_SECONDS = 3.0
_POLL_SECONDS = 0.02
"""At most between two questions of the next in line; others wait the longer, the farther their turn is away."""

_log = logging.getLogger(__name__)


def open_leases(broker_url: str) -> Redis:
    """A client for ``hold_lease``, one per process. It connects when it is used, and never waits long for an answer.

    Raises:
        UsageError: the URL is none of Redis.
    """
    # Celery also knows the names of Python's constants, redis-py does not.
    url = re.sub(r"(?<=ssl_cert_reqs=)CERT_\w+", lambda name: name[0].removeprefix("CERT_").lower(), broker_url)
    try:
        return Redis.from_url(
            url,
            protocol=2,
            socket_timeout=_SOCKET_SECONDS,
            socket_connect_timeout=_SOCKET_SECONDS,
            # Its own patience would keep hold_lease from knowing for how long Redis has been away.
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError:
        raise UsageError("The broker's URL cannot be read; check WIKIQ_BROKER_URL.") from None


def hold_lease(
    redis: Redis,
    source: str,
    limit: int = CONNECTIONS,
    *,
    expiry_seconds: float = EXPIRY_SECONDS,
    away_seconds: float = AWAY_SECONDS,
) -> AbstractContextManager[str]:
    """Hold one of a source's connections in the whole fleet, as ``hold_any_lease`` does one of several sources'."""
    return hold_any_lease(redis, (source,), limit, expiry_seconds=expiry_seconds, away_seconds=away_seconds)


@contextmanager
def hold_any_lease(
    redis: Redis,
    sources: Sequence[str],
    limit: int = CONNECTIONS,
    *,
    expiry_seconds: float = EXPIRY_SECONDS,
    away_seconds: float = AWAY_SECONDS,
    longest_wait: float = math.inf,
) -> Iterator[str]:
    """Hold one connection of the fleet's, to whichever source has one free first; wait for as long as it takes.

    Every source's waiters are served in the order in which they came. Where several sources have a connection free,
    it is the first one's.

    The lease is renewed by a thread while the block runs; what runs in the block should call ``check_lease`` now and
    then. A holder that dies is forgotten ``expiry_seconds`` after its last renewal. A source has no connection free
    while it wants not to be asked; an ``Interrupted`` that leaves the block may say so.

    Args:
        redis: what ``open_leases`` gave; threads may share it.
        sources: URLs, of which scheme, host and port count; those that share them share their connections.
        limit: how many connections each source allows; the whole fleet should agree on it.
        expiry_seconds: how long a lease lives without being renewed; six times the time between two renewals.
        away_seconds: for how long to wait for a Redis that does not answer.
        longest_wait: seconds to wait at most for sources all of which want not to be asked.

    Yields:
        The source whose connection it is.

    Raises:
        UsageError: there is no source, one of them is no URL, or the limit is below one.
        BrokerUnreachable: Redis was away for too long, before the block began.
        SourceUnreachable: no source wants to be asked soon enough.
    """
    lease = _Lease(_place(redis, sources, limit, expiry_seconds, longest_wait))
    outer = current_lease.get()
    try:
        lease.take(stamina.RetryingCaller(attempts=None, timeout=away_seconds, wait_max=2.0, wait_jitter=0.5))
        current_lease.set(lease)
        yield sources[lease.number]
    except Interrupted as interrupted:
        lease.put_off(min(interrupted.retry_after, LONGEST_PUT_OFF))
        raise
    finally:
        current_lease.set(outer)
        lease.end()


class _Turn(NamedTuple):
    """What Redis answers.

    Attributes:
        ahead: how many others come first; of who has a connection minus the source's number, the first being 1.
        later: seconds for which no source wants to be asked.
    """

    ahead: int
    later: float

    @property
    def has_come(self) -> bool:
        return self.ahead < 0


@dataclass(frozen=True, slots=True)
class _Place:
    """What one holder says to Redis. ``shown`` and ``keys`` are of each source, four keys a source."""

    redis: Redis = field(repr=False)
    shown: tuple[str, ...]
    keys: tuple[tuple[str, str, str, str], ...]
    token: str = field(repr=False)
    limit: int
    expiry: float
    longest_wait: float

    @property
    def interval(self) -> float:
        """Seconds between two renewals, and how long a waiter that does not ask again keeps its turn."""
        return self.expiry / 6

    def ask(self) -> _Turn:
        """Take a connection, or take or keep a turn.

        Raises:
            SourceUnreachable: no source wants to be asked soon enough.
        """
        patience = math.ceil(self.interval * 1e6)
        # Twice the interval, so that a holder has found the new server before others are served.
        ahead, later = self._run(ASK, [key for keys in self.keys for key in keys], patience, 2 * self.interval)
        if later > self.longest_wait * 1000:
            raise put_off(" or ".join(self.shown), later / 1000)
        return _Turn(ahead, later / 1000)

    def renew(self, number: int) -> _Turn:
        """Keep the connection, or take it again if Redis forgot it and it is free: then its turn has come."""
        return _Turn(*self._run(RENEW, self.keys[number]))

    def pause(self, turn: _Turn) -> float:
        """The most seconds to the next question."""
        return min(max(_POLL_SECONDS * (1 + turn.ahead), turn.later), self.interval / 4)

    def put_off(self, number: int, seconds: float) -> None:
        """Let nobody have a connection to this source for so long."""
        self.redis.eval(PUT_OFF, 1, self.keys[number][3], str(math.ceil(seconds * 1000)))

    def leave(self) -> None:
        with self.redis.pipeline(transaction=False) as commands:
            for key in (key for keys in self.keys for key in keys[:3]):
                commands.zrem(key, self.token)
            commands.execute()

    def _run(self, script: str, keys: Sequence[str], *more: float) -> tuple[int, int]:
        arguments = (self.token, self.limit, math.ceil(self.expiry * 1e6), *more)
        answer: Any = self.redis.eval(script, len(keys), *keys, *map(str, arguments))
        return int(answer[0]), int(answer[1])


def _place(redis: Redis, sources: Sequence[str], limit: int, expiry: float, longest_wait: float = math.inf) -> _Place:
    if limit < 1:
        raise UsageError(f"A source needs at least one connection, not {limit}.")
    shown = tuple(map(shown_origin, sources))
    names = (f"{KEY_PREFIX}lease:{key}" for key in source_keys(sources))
    keys = tuple((f"{name}:held", f"{name}:waiting", f"{name}:alive", f"{name}:later") for name in names)
    return _Place(redis, shown, keys, secrets.token_hex(16), limit, expiry, longest_wait)


class _Lease:
    """One hold.

    ``until`` is the moment, on this process' monotonic clock, up to which Redis has promised it; ``number`` says which
    of the sources it is on.
    """

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._ended = threading.Event()
        self._renewal = threading.Thread(target=self._keep, name="wikiq-lease", daemon=True)
        self.until = -math.inf
        self.number = 0

    def take(self, patiently: stamina.RetryingCaller) -> None:
        while not (turn := self._patiently_ask(patiently)).has_come:
            longest = self._place.pause(turn)
            time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - spreads the polls, hides nothing
        self.number = -turn.ahead - 1
        self._renewal.start()

    def _patiently_ask(self, patiently: stamina.RetryingCaller) -> _Turn:
        try:
            return patiently(RedisError, self._promised, self._place.ask)
        except RedisError as error:
            shown = " or ".join(self._place.shown)
            raise BrokerUnreachable(
                f"The broker does not answer ({type(error).__name__}), and {shown} is not asked without it;"
                " check WIKIQ_BROKER_URL, then: wikiq resume"
            ) from error

    def _promised(self, ask: Callable[[], _Turn]) -> _Turn:
        # Before the question: Redis' promise begins when it is answered, which is later.
        until = time.monotonic() + self._place.expiry
        turn = ask()
        self.until = until if turn.has_come else -math.inf
        return turn

    def _keep(self) -> None:
        pause = self._place.interval
        while not self._ended.wait(pause):
            had = time.monotonic() < self.until
            try:
                self._promised(partial(self._place.renew, self.number))
                pause = self._place.interval
            except RedisError:
                pause = random.uniform(0.05, 0.2) * self._place.interval  # noqa: S311 - spreads the retries
            if had and time.monotonic() >= self.until:
                _log.warning("%s: the lease on a connection was lost", self._place.shown[self.number])

    def put_off(self, seconds: float) -> None:
        # Where Redis is away nobody gets a connection anyway.
        if seconds > 0:
            with suppress(RedisError):
                self._place.put_off(self.number, seconds)

    def end(self) -> None:
        self._ended.set()
        if self._renewal.ident is not None:
            self._renewal.join()
        # Where Redis is away, or forgot it, there is nothing to give back: it expires.
        with suppress(RedisError):
            self._place.leave()
        self.until = math.inf
