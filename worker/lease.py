"""A source's connections, shared by a whole fleet: each is a lease in Redis. See docs/decisions/0012.

============================== =====================================================================
wikiq:lease:{source}:held      sorted set, holder → when its lease ends
wikiq:lease:{source}:waiting   sorted set, waiter → when it came: who came first is served first
wikiq:lease:{source}:alive     sorted set, waiter → when it counts as gone unless it asks again
============================== =====================================================================

Times are microseconds on Redis' own clock; ``{source}`` is a hash; holders and waiters are random tokens.
"""

from __future__ import annotations

import logging
import math
import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import stamina
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from models.errors import BrokerUnreachable, UsageError
from worker.budget import CONNECTIONS, source_key
from worker.patience import Interrupted
from worker.source import origin

KEY_PREFIX = "wikiq:"
EXPIRY_SECONDS = 30.0
AWAY_SECONDS = 120.0

_SOCKET_SECONDS = 3.0
_POLL_SECONDS = 0.1
_GRANTED = -1

_log = logging.getLogger(__name__)

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
"""

_ASK = f"""{_NOW}
local held, waiting, alive = KEYS[1], KEYS[2], KEYS[3]
local token, limit, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
  redis.call('ZREM', alive, gone)
  redis.call('ZREM', waiting, gone)
end
redis.call('ZADD', waiting, 'NX', now, token)
redis.call('ZADD', alive, now + ARGV[4], token)
redis.call('EXPIRE', waiting, 86400)
redis.call('EXPIRE', alive, 86400)
local ahead = redis.call('ZRANK', waiting, token)
if not redis.call('ZSCORE', held, token) then
  if ahead >= limit - redis.call('ZCARD', held) then return ahead end
  -- A server that just started may have forgotten leases that are in use; their holders come back first.
  local info = redis.pcall('INFO', 'server')
  local age = type(info) == 'string' and string.match(info, 'uptime_in_seconds:(%d+)')
  if age and age - 1 < tonumber(ARGV[5]) then return ahead end
end
redis.call('ZREM', waiting, token)
redis.call('ZREM', alive, token)
redis.call('ZADD', held, now + lease, token)
redis.call('EXPIRE', held, 86400)
return {_GRANTED}
"""

_RENEW = f"""{_NOW}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], 86400)
return {_GRANTED}
"""


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


@contextmanager
def hold_lease(
    redis: Redis,
    source: str,
    limit: int = CONNECTIONS,
    *,
    expiry_seconds: float = EXPIRY_SECONDS,
    away_seconds: float = AWAY_SECONDS,
) -> Iterator[None]:
    """Hold one of a source's connections in the whole fleet; wait, for as long as it takes, for one to be free.

    The lease is renewed by a thread while the block runs; what runs in the block should call ``check_lease`` now and
    then. A holder that dies is forgotten ``expiry_seconds`` after its last renewal.

    Args:
        redis: what ``open_leases`` gave; threads may share it.
        source: a URL, of which scheme, host and port count.
        limit: how many connections the source allows; the whole fleet should agree on it.
        expiry_seconds: how long a lease lives without being renewed; six times the time between two renewals.
        away_seconds: for how long to wait for a Redis that does not answer.

    Raises:
        UsageError: the source is no URL, or the limit is below one.
        BrokerUnreachable: Redis was away for too long, before the block began.
    """
    lease = _Lease(_place(redis, source, limit, expiry_seconds))
    outer = _current.get()
    try:
        lease.take(stamina.RetryingCaller(attempts=None, timeout=away_seconds, wait_max=2.0, wait_jitter=0.5))
        _current.set(lease)
        yield
    finally:
        _current.set(outer)
        lease.end()


def check_lease() -> None:
    """Go on only if the lease that this thread holds, if it holds one, is still its own.

    Raises:
        Interrupted: it was lost, and somebody else may have the connection by now: close it, then ask for a new lease.
    """
    lease = _current.get()
    if lease is not None and time.monotonic() >= lease.until:
        raise Interrupted("the lease on a connection was lost")


@dataclass(frozen=True, slots=True)
class _Place:
    """What one holder says to Redis."""

    redis: Redis = field(repr=False)
    shown: str
    keys: tuple[str, str, str]
    token: str = field(repr=False)
    limit: int
    expiry: float

    @property
    def interval(self) -> float:
        """Seconds between two renewals, and how long a waiter that does not ask again keeps its turn."""
        return self.expiry / 6

    def ask(self) -> int:
        """Take a connection, or take or keep a turn: ``_GRANTED``, or how many others come first."""
        lease, patience = (math.ceil(seconds * 1e6) for seconds in (self.expiry, self.interval))
        # Twice the interval, so that a holder has found the new server before others are served.
        return self._run(_ASK, self.token, self.limit, lease, patience, 2 * self.interval)

    def renew(self) -> int:
        """Keep the connection, or take it again if Redis forgot it and it is free: ``_GRANTED``, or anything else."""
        return self._run(_RENEW, self.token, self.limit, math.ceil(self.expiry * 1e6))

    def leave(self) -> None:
        with self.redis.pipeline(transaction=False) as commands:
            for key in self.keys:
                commands.zrem(key, self.token)
            commands.execute()

    def _run(self, script: str, *arguments: Any) -> int:  # noqa: ANN401 - as redis-py takes them
        answer: Any = self.redis.eval(script, len(self.keys), *self.keys, *arguments)
        return int(answer)


def _place(redis: Redis, source: str, limit: int, expiry: float) -> _Place:
    if limit < 1:
        raise UsageError(f"A source needs at least one connection, not {limit}.")
    scheme, host, port = origin(source)
    name = source_key(source)
    held, waiting, alive = (f"{KEY_PREFIX}lease:{name}:{part}" for part in ("held", "waiting", "alive"))
    return _Place(redis, f"{scheme}://{host}:{port}", (held, waiting, alive), secrets.token_hex(16), limit, expiry)


class _Lease:
    """One hold. ``until`` is the moment, on this process' monotonic clock, up to which Redis has promised it."""

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._ended = threading.Event()
        self._renewal = threading.Thread(target=self._keep, name="wikiq-lease", daemon=True)
        self.until = -math.inf

    def take(self, patiently: stamina.RetryingCaller) -> None:
        while (ahead := self._patiently_ask(patiently)) != _GRANTED:
            longest = min(_POLL_SECONDS * (1 + ahead), self._place.interval / 4)
            time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - spreads the polls, hides nothing
        self._renewal.start()

    def _patiently_ask(self, patiently: stamina.RetryingCaller) -> int:
        try:
            return patiently(RedisError, self._promised, self._place.ask)
        except RedisError as error:
            raise BrokerUnreachable(
                f"The broker does not answer ({type(error).__name__}), and {self._place.shown} is not asked without it;"
                " check WIKIQ_BROKER_URL, then: wikiq resume"
            ) from error

    def _promised(self, ask: Callable[[], int]) -> int:
        # Before the question: Redis' promise begins when it is answered, which is later.
        until = time.monotonic() + self._place.expiry
        answer = ask()
        self.until = until if answer == _GRANTED else -math.inf
        return answer

    def _keep(self) -> None:
        pause = self._place.interval
        while not self._ended.wait(pause):
            had = time.monotonic() < self.until
            try:
                self._promised(self._place.renew)
                pause = self._place.interval
            except RedisError:
                pause = random.uniform(0.05, 0.2) * self._place.interval  # noqa: S311 - spreads the retries
            if had and time.monotonic() >= self.until:
                _log.warning("%s: the lease on a connection was lost", self._place.shown)

    def end(self) -> None:
        self._ended.set()
        if self._renewal.ident is not None:
            self._renewal.join()
        # Where Redis is away, or forgot it, there is nothing to give back: it expires.
        with suppress(RedisError):
            self._place.leave()
        self.until = math.inf


_current: ContextVar[_Lease | None] = ContextVar("current_lease", default=None)
