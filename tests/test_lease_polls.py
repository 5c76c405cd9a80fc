"""How long a waiter for a connection sleeps between two questions."""

from __future__ import annotations

import threading
import time

import pytest
import redis
from lease_samples import EXPIRY, SOURCE, contending, count, wait_for

from worker import lease
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
    # Whoever is next asks often: a connection that is free and unused costs everybody.
    longest = 0.02
    assert all(longest / 2 <= seconds <= longest for seconds in slept)
    assert len(set(slept)) == len(slept)
    assert max(slept) - min(slept) > longest / 10


def test_who_is_far_from_its_turn_asks_seldom(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The more others come first, the seldomer a waiter asks."""
    slept: dict[str, list[float]] = {}
    sleep = time.sleep

    def note(seconds: float) -> None:
        slept.setdefault(threading.current_thread().name, []).append(seconds)
        sleep(seconds)

    def wait() -> None:
        # A waiter that is kept from asking for a sixth of it would lose its turn.
        with hold_lease(client, SOURCE, 1, expiry_seconds=5 * EXPIRY):
            pass

    waiters = [threading.Thread(target=wait, name=f"waiter {number}") for number in range(3)]
    monkeypatch.setattr(time, "sleep", note)
    with contending(client) as first:
        assert first.is_in()
        for number, waiter in enumerate(waiters, start=1):
            waiter.start()
            wait_for(lambda number=number: count(client, "waiting") == number)
        wait_for(lambda: len(slept.get("waiter 2", ())) >= 4)
        for number in range(3):
            longest = 0.02 * (1 + number)
            assert all(longest / 2 <= seconds <= longest for seconds in [*slept[f"waiter {number}"]])
        first.leave()
    for waiter in waiters:
        waiter.join(10)


@pytest.mark.parametrize(
    ("ahead", "later", "longest"),
    [(0, 0.0, 0.02), (9, 0.0, 0.2), (99, 0.0, 1.25), (0, 0.5, 0.5), (0, 3600.0, 1.25), (9, 0.1, 0.2)],
)
def test_a_pause_is_long_where_asking_is_in_vain(ahead: int, later: float, longest: float) -> None:
    """While others come first or the source wants not to be asked, but a waiter never counts as gone meanwhile."""
    place = lease._place(redis.Redis(), [SOURCE], 3, 30.0)
    assert place.pause(lease._Turn(ahead, later)) == pytest.approx(longest)
    assert longest <= place.interval / 4
