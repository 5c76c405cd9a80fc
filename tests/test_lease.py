"""Leases on a source's connections, with a real Redis."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack

import pytest
import redis
from billiard.exceptions import SoftTimeLimitExceeded
from lease_processes import HOLDER, holder
from lease_samples import (
    EXPIRY,
    SOURCE,
    Contender,
    contending,
    count,
    keys,
    process,
    wait_for,
)

from worker.lease import _place, hold_lease, open_leases
from worker.lease_held import check_lease

pytest_plugins = ["lease_fixtures"]


def test_connections_may_be_cut(client: redis.Redis, redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """While Redis cuts every connection again and again, the holder holds on, and the waiter waits its turn."""
    with redis.Redis.from_url(redis_url, protocol=2) as other, contending(client) as first:
        assert first.is_in()
        with contending(client) as second:
            for _ in range(20):
                other.client_kill_filter(_type="normal", skipme=True)
                time.sleep(0.05)
            assert not second.entered.is_set()
            assert count(other, "held") == 1
            first.leave()
            assert second.is_in()
    assert (first.error, second.error) == (None, None)
    assert "was lost" not in caplog.text


def test_killed_holder_is_forgotten(client: redis.Redis, redis_url: str) -> None:
    """A connection is free again within a lease's life after its holder died by SIGKILL, and not at once."""
    with holder(redis_url, EXPIRY) as killed, contending(client) as second:
        assert not second.is_in(2 * EXPIRY)
        killed.kill()
        killed.wait()
        died = time.monotonic()
        assert second.is_in()
        assert EXPIRY * 4 / 6 < time.monotonic() - died < EXPIRY + 1


def test_killed_waiter_keeps_nobody_waiting(client: redis.Redis, redis_url: str) -> None:
    """Who came first and died while waiting is passed over."""
    with contending(client) as first:
        assert first.is_in()
        with process(HOLDER, redis_url, str(EXPIRY)) as killed:
            wait_for(lambda: count(client, "waiting") == 1)
            with contending(client) as second:
                wait_for(lambda: count(client, "waiting") == 2)
                killed.kill()
                killed.wait()
                first.leave()
                assert second.is_in(2)


def test_paused_holder_is_interrupted(client: redis.Redis, redis_url: str) -> None:
    """A process that stood still for longer than its lease lives learns so as soon as it moves."""
    with holder(redis_url, EXPIRY) as paused:
        paused.send_signal(signal.SIGSTOP)
        with contending(client) as second:
            assert second.is_in()
            paused.send_signal(signal.SIGCONT)
            assert paused.communicate(timeout=5)[0] == "interrupted\n"
            assert not second.ends(EXPIRY / 3)


def test_first_come_first_served(client: redis.Redis) -> None:
    """Six waiters get the one connection in the order in which they came."""
    order: list[int] = []

    def work(number: int) -> None:
        with hold_lease(client, SOURCE, 1, expiry_seconds=6):
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    with contending(client, expiry=6) as first:
        assert first.is_in()
        for number, thread in enumerate(threads):
            thread.start()
            wait_for(lambda expected=number + 1: count(client, "waiting") == expected)
    for thread in threads:
        thread.join(10)
    assert order == list(range(6))


def test_lowered_limit_is_kept_by_who_comes_next(client: redis.Redis) -> None:
    """Who holds one of two goes on when the limit becomes one; a third waits until both are gone."""
    first, second = Contender(client, limit=2), Contender(client, limit=2)
    assert first.is_in()
    assert second.is_in()
    with contending(client, limit=1) as third:
        assert not third.is_in(EXPIRY)
        first.leave()
        assert not third.is_in(0.4)
        second.leave()
        assert third.is_in()
    assert (first.error, second.error) == (None, None)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("http://dumps.wikimedia.org", False),
        ("https://dumps.wikimedia.org:8443", False),
        ("https://dumps.wikimedia.your.org", False),
        ("HTTPS://Dumps.Wikimedia.ORG./", True),
        ("https://dumps.wikimedia.org:443/mirror", True),
        ("https://me:secret@dumps.wikimedia.org", True),
    ],
)
def test_sources_have_budgets_of_their_own(client: redis.Redis, other: str, is_same: bool) -> None:
    """Another scheme, host or port is another source; case, path and credentials make none."""
    with contending(client) as first:
        assert first.is_in()
        with contending(client, other) as second:
            assert second.is_in(0.3 if is_same else 5) != is_same
            first.leave()


def test_only_its_holder_gives_a_lease_back(client: redis.Redis) -> None:
    """A stranger with a token of its own frees nothing."""
    with contending(client) as first:
        assert first.is_in()
        _place(client, [SOURCE], 1, EXPIRY).leave()
        assert count(client, "held") == 1
        with contending(client) as second:
            assert not second.is_in(0.3)
            first.leave()


def test_other_errors_pass_and_free_the_connection(client: redis.Redis) -> None:
    """An error in the block is neither hidden nor changed, and the connection is free again."""
    with pytest.raises(ZeroDivisionError), hold_lease(client, SOURCE, 1):
        _ = 1 / 0
    assert not keys(client, "*")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SoftTimeLimitExceeded])
@pytest.mark.parametrize("while_waiting", [True, False])
def test_interruptions_leave_nothing_behind(
    client: redis.Redis, interruption: type[BaseException], *, while_waiting: bool
) -> None:
    """Ctrl-C and Celery's soft time limit end the wait, or the block; no turn, no lease and no thread stays."""

    def interrupt(*_: object) -> None:
        raise interruption

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with ExitStack() as stack:
            if while_waiting:
                assert stack.enter_context(contending(client, expiry=6)).is_in()
            signal.setitimer(signal.ITIMER_REAL, 0.25)
            with pytest.raises(interruption), hold_lease(client, SOURCE, 1, expiry_seconds=6):
                signal.pause()
            assert not keys(client, "waiting")
            assert count(client, "held") == while_waiting
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not [thread for thread in threading.enumerate() if thread.name == "wikiq-lease"]


def test_nothing_piles_up(redis_url: str, client: redis.Redis) -> None:
    """Many holds, one after another, leave no thread, no key, and one idle connection for the next."""
    threads = threading.active_count()
    with open_leases(redis_url) as own:
        own.client_setname("counted")
        before = len(client.client_list())
        for _ in range(50):
            with hold_lease(own, SOURCE, expiry_seconds=EXPIRY):
                pass
        with hold_lease(own, SOURCE, expiry_seconds=0.6):
            time.sleep(0.3)
        assert len(client.client_list()) <= before + 1
    assert threading.active_count() == threads
    assert not keys(client, "*")


def test_check_without_a_lease_holds_nobody_up(client: redis.Redis) -> None:
    """Outside of any hold, and after one, there is nothing to lose."""
    check_lease()
    with hold_lease(client, SOURCE, expiry_seconds=0.3):
        check_lease()
    time.sleep(0.4)
    check_lease()
