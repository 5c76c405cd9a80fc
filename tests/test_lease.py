"""Leases on a source's connections, with a real Redis and, where it counts, counted by the server that is asked."""

from __future__ import annotations

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import redis
import servers
from billiard.exceptions import SoftTimeLimitExceeded
from lease_samples import (
    EXPIRY,
    SOURCE,
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
from models.errors import BrokerUnreachable, UsageError
from worker.app import make_app
from worker.budget import Budget
from worker.context import open_context
from worker.fetch import fetch, open_http
from worker.lease import KEY_PREFIX, _place, check_lease, hold_lease, open_leases
from worker.patience import Interrupted
from worker.settings import Settings

pytest_plugins = ["lease_fixtures"]
HOLDER = """
import sys, time
from worker.lease import check_lease, hold_lease, open_leases
from worker.patience import Interrupted
with hold_lease(open_leases(sys.argv[1]), "https://dumps.wikimedia.org", 1, expiry_seconds=float(sys.argv[2])):
    print("in", flush=True)
    try:
        while True:
            time.sleep(0.02)
            check_lease()
    except Interrupted:
        print("interrupted", flush=True)
"""

FETCHER = """
import os, sys, threading, time
from datetime import datetime
from functools import partial
from pathlib import Path

redis_url, directory, shift, *urls = sys.argv[1:]
for name in ("time", "time_ns"):
    unit = 1 if name == "time" else 10**9
    setattr(time, name, lambda real=getattr(time, name), unit=unit: real() + int(shift) * unit)

from worker.fetch import fetch, open_http
from worker.lease import hold_lease, open_leases

client = open_leases(redis_url)
client.ping()
child = os.fork()
failed = threading.excepthook
threading.excepthook = lambda args: (failed(args), os._exit(1))

def work(number):
    for url in urls:
        into = Path(directory, f"{os.getpid()}-{number}", url.rpartition("/")[2])
        into.parent.mkdir(exist_ok=True)
        fetch(open_http("tests@localhost", "0"), url, into, budget=partial(hold_lease, client, url, expiry_seconds=6))

threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(0)
"""


@pytest.fixture
def old_redis_url(client: redis.Redis, redis_url: str) -> str:
    """The URL of that Redis once it is old enough for leases of six seconds, too."""
    wait_for(lambda: age(client) > 6 / 3 + 1)
    return redis_url


@contextmanager
def holder(redis_url: str, expiry: float) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a source's only connection."""
    with process(HOLDER, redis_url, str(expiry)) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "in\n"
        yield started


@contextmanager
def passing_redis(directory: Path, port: int) -> Iterator[redis.Redis]:
    with servers.redis_server(directory, port) as url, open_leases(url) as client:
        yield client


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


def test_absent_redis_is_an_error_after_a_while() -> None:
    """Who waits for a Redis that is away gets our error when patience ends, and never a connection without a lease."""
    url = f"redis://:secret@127.0.0.1:{servers.free_port()}/0"
    began = time.monotonic()
    refused = pytest.raises(BrokerUnreachable, match=r"dumps\.wikimedia\.org:443 is not asked")
    with open_leases(url) as client, refused as raised, hold_lease(client, SOURCE, away_seconds=0.5):
        pytest.fail("entered without a lease")
    assert 0.2 < time.monotonic() - began < 5
    assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_redis_may_come_late(tmp_path: Path) -> None:
    """Who waits for a Redis that is away gets its connection once Redis is there."""
    port = servers.free_port()
    with open_leases(f"redis://127.0.0.1:{port}/0") as client:
        first = Contender(client)
        assert not first.is_in(0.5)
        with passing_redis(tmp_path, port):
            assert first.is_in()
            first.leave()


def test_holder_without_redis_is_interrupted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When Redis stays away, a holder is told before its lease ends, and its block ends without another error."""
    port = servers.free_port()
    with open_leases(f"redis://127.0.0.1:{port}/0") as client:
        with passing_redis(tmp_path, port):
            first = Contender(client)
            assert first.is_in()
        assert not first.ends(EXPIRY / 4)
        assert first.ends(EXPIRY + 1)
    assert isinstance(first.error, Interrupted)


def test_passwords_stay_where_they_are(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither Redis' password nor the source's is in a key, a log line or an error."""
    caplog.set_level(logging.DEBUG)
    port = servers.free_port()
    with passing_redis(tmp_path, port) as opener:
        opener.config_set("requirepass", "hush-hush")
        source = "https://me:secret@dumps.wikimedia.org"
        with open_leases(f"redis://:hush-hush@127.0.0.1:{port}/0") as client, contending(client, source) as first:
            assert first.is_in()
            found = b" ".join(client.keys())
            assert found.startswith(KEY_PREFIX.encode())
            assert b"secret" not in found
            assert b"wikimedia" not in found
        refused = pytest.raises(BrokerUnreachable)
        with open_leases(f"redis://:hush-hush!@127.0.0.1:{port}/0") as client, refused as raised:
            hold_lease(client, source, away_seconds=0.3).__enter__()
    said = f"{caplog.text} {raised.value!r} {raised.value.__cause__!r}"
    assert "AuthenticationError" in said
    assert "hush" not in said
    assert "secret" not in said


def test_prefix_is_the_brokers(settings: Settings) -> None:
    """Everything that wikiq has in a Redis lies below one prefix."""
    with_redis = make_app(replace(settings, broker_url="redis://127.0.0.1:1/0"))
    assert with_redis.conf.broker_transport_options["global_keyprefix"] == KEY_PREFIX


def test_a_fleet_leases(client: redis.Redis, redis_url: str, settings: Settings) -> None:
    """A process with a broker takes its connections from the fleet's, one without from its machine's."""
    for broker, leased in ((redis_url, 1), (None, 0)):
        context = open_context(replace(settings, broker_url=broker))
        with context.budget(SOURCE)():
            assert count(client, "held") == leased
        assert count(client, "held") == 0
        context.engine.dispose()
        if context.leases is not None:
            context.leases.close()


def test_lease_is_a_budget() -> None:
    """What fetch is given is the lease with its source filled in; limits below one and no sources are refused."""
    with open_leases("redis://127.0.0.1:1/0") as client:
        for arguments, refused in (((SOURCE, 0), "at least one"), (("nowhere",), "A source is written like")):
            budget: Budget = partial(hold_lease, client, *arguments)
            with pytest.raises(UsageError, match=refused), budget():
                pass


@pytest.mark.parametrize(("name", "known"), [("CERT_NONE", "none"), ("CERT_REQUIRED", "required"), ("none", "none")])
def test_celerys_words_for_certificates_are_understood(name: str, known: str) -> None:
    """A URL that Celery accepts opens a client here, too."""
    with open_leases(f"rediss://127.0.0.1/0?ssl_cert_reqs={name}&db=2") as client:
        kwargs = client.connection_pool.connection_kwargs
    assert (kwargs["ssl_cert_reqs"], kwargs["db"]) == (known, 2)


@pytest.mark.parametrize("url", ["memory://", "redis://:secret@127.0.0.1/0?protocol=secret"])
def test_no_redis_url_is_refused(url: str) -> None:
    """What is no URL of Redis is an error of ours that does not repeat it."""
    with pytest.raises(UsageError) as raised:
        open_leases(url)
    assert "secret" not in str(raised.value)
