"""What Redis' client raises, without importing it: it is slow to import, and without a broker nobody needs it."""

from __future__ import annotations


def redis_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """For ``except``, which asks only when something was raised; and whatever others are expected there."""
    from redis.exceptions import RedisError

    return (RedisError, *others)
