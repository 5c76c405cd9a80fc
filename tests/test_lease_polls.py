"""How long a waiter for a connection sleeps between two questions."""

from __future__ import annotations

import threading
import time

import pytest
import redis
from lease_samples import EXPIRY, SOURCE, contending, count, wait_for

from worker.lease import hold_lease

pytest_plugins = ["lease_fixtures"]


def test_waiters_do_not_ask_in_step(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sleep is drawn anew, from half of the longest up, so that waiters who came together spread."""
    slept: list[float] = []
    sleep = time.sleep

    def note(seconds: float) -> None:
        if threading.current_thread() is waiter:
            slept.append(seconds)
        sleep(seconds)

    def wait() -> None:
        with hold_lease(client, SOURCE, 1, expiry_seconds=EXPIRY):
            pass

    waiter = threading.Thread(target=wait)
    monkeypatch.setattr(time, "sleep", note)
    with contending(client) as first:
        assert first.is_in()
        waiter.start()
        wait_for(lambda: len(slept) >= 12)
        assert count(client, "waiting") == 1
        first.leave()
    waiter.join(10)
    # A quarter of the time after which a waiter that does not ask counts as gone.
    longest = EXPIRY / 6 / 4
    assert all(longest / 2 <= seconds <= longest for seconds in slept)
    assert len(set(slept)) == len(slept)
    assert max(slept) - min(slept) > longest / 10
