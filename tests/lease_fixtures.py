"""A Redis for tests of leases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from lease_samples import EXPIRY, age, wait_for

from worker.lease import open_leases


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of a Redis that holds nothing, and is old enough to give connections."""
    with open_leases(redis_url) as opened:
        opened.flushall()
        wait_for(lambda: age(opened) > EXPIRY / 3 + 1)
        yield opened
