"""Leases of a whole fleet, counted by the server that is asked, also when Redis comes back empty."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import redis
import servers
from lease_processes import (
    FETCHER,
    passing_redis,
    redis_of_some_age,  # noqa: F401 fixtures
)
from lease_samples import (
    EXPIRY,
    Contender,
    age,
    contending,
    count,
    keys,
    process,
    wait_for,
)

from cli.demosite.content import DemoSite
from cli.demosite.faults import Fault, Slow
from cli.demosite.site import Site
from worker.client import open_http
from worker.fetch import fetch
from worker.lease import hold_lease, open_leases
from worker.patience import Interrupted

pytest_plugins = ["lease_fixtures"]


def test_fleet_keeps_to_three_connections(
    old_redis_url: str, client: redis.Redis, site: Site, demo: DemoSite, tmp_path: Path
) -> None:
    """Of 12 threads in six processes, three of them forked, two with a wrong clock, three at a time download."""
    site.misbehave(Fault("*.gz", Slow(30_000)))
    urls = [f"{site.url}/{hour.path}" for hour in list(demo.hours)[:2]]
    with ExitStack() as stack:
        shifts = ("0", "3600", "-3600")
        fleet = [stack.enter_context(process(FETCHER, old_redis_url, str(tmp_path), shift, *urls)) for shift in shifts]
        assert [worker.wait(60) for worker in fleet] == [0, 0, 0]
    assert len(site.log) == 24
    assert site.most_at_once == 3
    assert not keys(client, "*")


def test_empty_restart_lets_nobody_in_beyond_the_three(site: Site, demo: DemoSite, tmp_path: Path) -> None:
    """While three of six threads download, Redis comes back without its memory: still three, and all get their file."""
    site.misbehave(Fault("*.gz", Slow(3_000)))
    port, url = servers.free_port(), f"{site.url}/{next(iter(demo.hours)).path}"
    client = open_leases(f"redis://127.0.0.1:{port}/0")
    budget = partial(hold_lease, client, url, expiry_seconds=3.6)
    done = []

    def work(number: int) -> None:
        done.append(fetch(open_http("tests@localhost", "0"), url, tmp_path / f"{number}.gz", budget=budget))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    with passing_redis(tmp_path, port):
        for thread in threads:
            thread.start()
        wait_for(lambda: site.most_at_once == 3)
    with client, passing_redis(tmp_path, port):
        for thread in threads:
            thread.join(30)
    assert len(done) == len(site.log) == 6
    assert site.most_at_once == 3


def test_holder_finds_its_lease_again_after_an_empty_restart(tmp_path: Path) -> None:
    """Redis forgets who holds; the holder takes its place again, and who waits goes on waiting until it leaves."""
    port = servers.free_port()
    with open_leases(f"redis://127.0.0.1:{port}/0") as client:
        with passing_redis(tmp_path, port):
            first = Contender(client)
            assert first.is_in()
            second = Contender(client)
            wait_for(lambda: count(client, "waiting") == 1)
        with passing_redis(tmp_path, port):
            wait_for(lambda: count(client, "held") == 1)
            wait_for(lambda: age(client) > EXPIRY / 3 + 1)
            assert not second.is_in(0.5)
            first.leave()
            assert second.is_in()
            second.leave()
    assert (first.error, second.error) == (None, None)


def test_young_server_waits_for_those_it_may_have_forgotten(tmp_path: Path) -> None:
    """The first connection is given when a server is as old as two renewals take, and not before."""
    with passing_redis(tmp_path, servers.free_port()) as client:
        started = time.monotonic()
        with contending(client, expiry=6) as first:
            assert not first.is_in(1.0)
            assert first.is_in(5)
        assert time.monotonic() - started > 1.5


def test_forgotten_lease_is_taken_again(client: redis.Redis) -> None:
    """All keys vanish and nobody waits: the holder keeps its connection."""
    with contending(client) as first:
        assert first.is_in()
        client.flushall()
        wait_for(lambda: count(client, "held") == 1)
        assert not first.ends(EXPIRY / 3)
    assert first.error is None


def test_lost_lease_interrupts(client: redis.Redis) -> None:
    """All keys vanish and a waiter is quicker: the first is interrupted at its next renewal, and the waiter goes on."""
    first = Contender(client, expiry=6)
    assert first.is_in()
    with contending(client) as second:
        client.flushall()
        assert second.is_in()
        assert first.ends(6 / 6 + 1)
        assert isinstance(first.error, Interrupted)
        assert not second.ends(EXPIRY / 3)
    assert second.error is None


def test_lost_lease_stops_a_transfer_which_goes_on_later(
    client: redis.Redis, site: Site, demo: DemoSite, tmp_path: Path
) -> None:
    """A download whose only connection went to another closes, and is resumed once the other leaves."""
    hour = next(iter(demo.hours))
    site.misbehave(Fault(hour.path, Slow(3_000)))
    into, url, done = tmp_path / "hour.gz", f"{site.url}/{hour.path}", []

    def work() -> None:
        budget = partial(hold_lease, client, url, 1, expiry_seconds=EXPIRY)
        done.append(fetch(open_http("tests@localhost", "0"), url, into, budget=budget))

    fetching = threading.Thread(target=work)
    fetching.start()
    wait_for(lambda: into.with_name("hour.gz.part").exists())
    [held] = keys(client, "held")
    # What a quicker waiter leaves behind, in one step: its own lease where the first one's was.
    client.pipeline().delete(held).zadd(held, {"another": (time.time() + 3) * 1e6}).execute()
    wait_for(lambda: count(client, "waiting") == 1)
    assert fetching.is_alive()
    site.behave()
    fetching.join(20)
    assert [entry.range is not None for entry in site.log] == [False, True]
    assert done[0].size == into.stat().st_size
