"""A connection to any of several sources, leased in a real Redis: whichever is free first, and never two at once."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis
import servers
from billiard.exceptions import SoftTimeLimitExceeded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lease_samples import EXPIRY, Contender, age, contending, count, keys, process, wait_for

from models.errors import BrokerUnreachable, UsageError
from worker.budget import source_key
from worker.lease import _place, hold_any_lease, hold_lease, open_leases

pytest_plugins = ["lease_fixtures"]

ONE, TWO, THREE = (f"https://{name}.example.org" for name in ("origin", "mirror", "other"))
HOLDER = """
import sys, time
from worker.lease import hold_any_lease, open_leases
with hold_any_lease(open_leases(sys.argv[1]), sys.argv[3:], 1, expiry_seconds=float(sys.argv[2])) as source:
    print(source, flush=True)
    time.sleep(60)
"""
LEAVE = "leave"
MOVES = st.lists(
    st.tuples(
        st.sampled_from("abcdef"), st.sampled_from([LEAVE, (ONE,), (TWO,), (ONE, TWO), (TWO, ONE), (ONE, TWO, THREE)])
    ),
    max_size=25,
)


def in_use(client: redis.Redis, source: str, part: str = "held") -> int:
    return client.zcard(f"wikiq:lease:{source_key(source)}:{part}")


def test_the_free_one_is_taken(client: redis.Redis) -> None:
    """Who may fetch from either waits for neither while one of them has a connection free."""
    with contending(client, ONE) as first:
        assert first.is_in()
        began = time.monotonic()
        with hold_any_lease(client, (ONE, TWO), 1, expiry_seconds=EXPIRY) as source:
            assert (source, time.monotonic() - began < EXPIRY / 6) == (TWO, True)
            assert (in_use(client, ONE), in_use(client, TWO)) == (1, 1)
    assert not keys(client, "*")


@pytest.mark.parametrize("sources", [(ONE, TWO), (TWO, ONE)])
def test_of_two_free_ones_the_first_is_taken(client: redis.Redis, sources: tuple[str, str]) -> None:
    """The order in which sources are named is the order in which they are preferred."""
    with hold_any_lease(client, sources, expiry_seconds=EXPIRY) as source:
        assert source == sources[0]
        assert count(client, "held") == 1


@pytest.mark.parametrize("freed", [0, 1])
def test_whichever_is_free_first(client: redis.Redis, freed: int) -> None:
    """Who waits for both gets the one that comes free, and waits for the other no longer."""
    with ExitStack() as stack:
        holders = [stack.enter_context(contending(client, source)) for source in (ONE, TWO)]
        assert all(holder.is_in() for holder in holders)
        either = stack.enter_context(contending(client, (ONE, TWO)))
        wait_for(lambda: (in_use(client, ONE, "waiting"), in_use(client, TWO, "waiting")) == (1, 1))
        holders[freed].leave()
        assert either.is_in()
        assert either.source == (ONE, TWO)[freed]
        assert count(client, "waiting") == count(client, "alive") == 0


def test_first_come_first_served_at_each_source(client: redis.Redis) -> None:
    """A turn for any source is a turn at each: after those who came before for one of them, before those after."""
    with ExitStack() as stack:

        def comes(*sources: str) -> Contender:
            return stack.enter_context(contending(client, sources, expiry=6))

        at_one, at_two = comes(ONE), comes(TWO)
        assert at_one.is_in()
        assert at_two.is_in()
        for_two = comes(TWO)
        wait_for(lambda: count(client, "waiting") == 1)
        either = comes(ONE, TWO)
        wait_for(lambda: count(client, "waiting") == 3)
        for_one = comes(ONE)
        wait_for(lambda: count(client, "waiting") == 4)
        at_two.leave()
        assert for_two.is_in()
        assert not either.is_in(0.3)
        at_one.leave()
        assert either.is_in()
        assert not for_one.is_in(0.3)
        either.leave()
        assert for_one.is_in()
    assert not keys(client, "*")


class Queues:
    """What the sorted sets should say, in plain Python."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held: dict[str, list[str]] = {source: [] for source in (ONE, TWO, THREE)}
        self.waiting: dict[str, list[str]] = {source: [] for source in (ONE, TWO, THREE)}

    def ask(self, token: str, sources: tuple[str, ...]) -> int:
        mine = [source for source in sources if token in self.held[source]]
        for source in sources:
            if token not in self.waiting[source]:
                self.waiting[source].append(token)
        ranks = [self.waiting[source].index(token) for source in sources]
        free = [
            source for source, rank in zip(sources, ranks, strict=True) if rank < self.limit - len(self.held[source])
        ]
        if not mine and not free:
            return min(ranks)
        got = (mine or free)[0]
        for source in sources:
            self.waiting[source].remove(token)
        if not mine:
            self.held[got].append(token)
        return -sources.index(got) - 1

    def leave(self, token: str) -> None:
        for tokens in (*self.held.values(), *self.waiting.values()):
            if token in tokens:
                tokens.remove(token)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES, st.integers(1, 3))
def test_questions_are_answered_by_the_law(client: redis.Redis, moves: list, limit: int) -> None:
    """Who asks for whatever, again and again, is answered as queues in plain Python are; at the end nothing is left."""
    wait_for(lambda: age(client) > 12 / 3 + 1)
    client.flushall()
    queues, turns = Queues(limit), {}
    for name, move in moves:
        if move == LEAVE:
            if name in turns:
                turns.pop(name)[0].leave()
                queues.leave(name)
            continue
        # A turn is at the sources that it was taken for; who wishes for others meanwhile is not heard.
        place, sources = turns.setdefault(name, (_place(client, move, limit, 12), move))
        assert place.ask().ahead == queues.ask(name, sources)
        assert [in_use(client, source) for source in queues.held] == [*map(len, queues.held.values())]
        assert [in_use(client, source, "waiting") for source in queues.held] == [*map(len, queues.waiting.values())]
    for place, _ in turns.values():
        place.leave()
    assert not keys(client, "*")


class Crowd:
    """Counts who is inside at each source, and the most that ever were."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.entered = 0

    @contextmanager
    def counted(self, source: str) -> Iterator[None]:
        with self._lock:
            self.entered += 1
            self._inside[source] += 1
            self.most[source] = max(self.most[source], self._inside[source])
            self._lock.notify_all()
        yield
        with self._lock:
            self._inside[source] -= 1

    def wait_for_company(self, source: str) -> None:
        """Go on once two were inside together: on a busy machine nobody else may come in while one stays briefly."""
        with self._lock:
            self._lock.wait_for(lambda: self.most[source] > 1, timeout=20)


@pytest.mark.parametrize("cut", [False, True])
def test_nobody_starves_and_nobody_is_too_many(client: redis.Redis, redis_url: str, *, cut: bool) -> None:
    """Of 12 threads with all sorts of wishes each gets its five connections, also if Redis cuts theirs all the time."""
    crowd, done = Crowd(), threading.Event()
    wait_for(lambda: age(client) > 6 / 3 + 1)

    def work(number: int) -> None:
        lot = random.Random(number)
        for _ in range(5):
            wish = lot.sample((ONE, TWO, THREE), lot.randint(1, 3)) if number % 3 else (ONE,)
            with hold_any_lease(client, wish, 2, expiry_seconds=6) as source, crowd.counted(source):
                assert source in wish
                crowd.wait_for_company(source)
                time.sleep(0.01)

    def disturb() -> None:
        with redis.Redis.from_url(redis_url, protocol=2) as other:
            while not done.wait(0.05):
                other.client_kill_filter(_type="normal", skipme=True)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    disturber = threading.Thread(target=disturb)
    for thread in (*threads, *([disturber] if cut else [])):
        thread.start()
    for thread in threads:
        thread.join(60)
    done.set()
    assert crowd.entered == 60
    assert set(crowd.most.values()) == {2}
    # Where the connection was cut while it was given back, it expires; nobody waits any more in any case.
    assert count(client, "waiting") == 0
    assert cut or not keys(client, "*")


def test_killed_holder_is_forgotten_at_its_source(client: redis.Redis, redis_url: str) -> None:
    """A process that got one of two sources and died by SIGKILL blocks that one for a lease's life, the other never."""
    with process(HOLDER, redis_url, str(EXPIRY), ONE, TWO) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == f"{ONE}\n"
        killed.kill()
        killed.wait()
        died = time.monotonic()
        with hold_any_lease(client, (ONE, TWO), 1, expiry_seconds=EXPIRY) as source:
            assert source == TWO
            with hold_any_lease(client, (ONE, TWO), 1, expiry_seconds=EXPIRY) as freed:
                assert freed == ONE
                assert EXPIRY * 4 / 6 < time.monotonic() - died < EXPIRY + 1


def test_killed_waiter_keeps_nobody_waiting_anywhere(client: redis.Redis, redis_url: str) -> None:
    """Who came first for two sources and died while waiting is passed over at both."""
    with ExitStack() as stack:
        holders = [stack.enter_context(contending(client, source)) for source in (ONE, TWO)]
        assert all(holder.is_in() for holder in holders)
        killed = stack.enter_context(process(HOLDER, redis_url, str(EXPIRY), ONE, TWO))
        wait_for(lambda: count(client, "waiting") == 2)
        waiters = [stack.enter_context(contending(client, source)) for source in (ONE, TWO)]
        wait_for(lambda: count(client, "waiting") == 4)
        killed.kill()
        killed.wait()
        for holder in holders:
            holder.leave()
        assert all(waiter.is_in(2) for waiter in waiters)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SoftTimeLimitExceeded])
def test_interrupted_waits_leave_no_turn(client: redis.Redis, interruption: type[BaseException]) -> None:
    """Ctrl-C and Celery's soft time limit end the wait for several sources, and no turn stays at any."""

    def interrupt(*_: object) -> None:
        raise interruption

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with contending(client, ONE, expiry=6) as first, contending(client, TWO, expiry=6) as second:
            assert first.is_in()
            assert second.is_in()
            signal.setitimer(signal.ITIMER_REAL, 0.25)
            with pytest.raises(interruption), hold_any_lease(client, (ONE, TWO), 1, expiry_seconds=6):
                pytest.fail("entered")
            assert (count(client, "waiting"), count(client, "alive"), count(client, "held")) == (0, 0, 2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_young_server_gives_no_source(tmp_path: Path) -> None:
    """A Redis that may have forgotten who holds gives a connection to none of several sources."""
    with servers.redis_server(tmp_path) as url, open_leases(url) as client:
        first = Contender(client, (ONE, TWO), expiry=6)
        assert not first.is_in(1.0)
        assert (count(client, "waiting"), count(client, "held")) == (2, 0)
        assert first.is_in(5)
        first.leave()


def test_a_forgotten_lease_is_taken_again_where_it_was(client: redis.Redis) -> None:
    """All keys vanish: the holder of the second source takes that one again, not the first."""
    with contending(client, ONE) as first:
        assert first.is_in()
        with contending(client, (ONE, TWO)) as second:
            assert second.is_in()
            client.flushall()
            wait_for(lambda: (in_use(client, ONE), in_use(client, TWO)) == (1, 1))
            assert not second.ends(EXPIRY / 3)
    assert (first.error, second.error) == (None, None)


def test_two_paths_of_one_host_are_one_budget(client: redis.Redis) -> None:
    """Two sources of one scheme, host and port share their connections; the first of them stands for both."""
    with contending(client, (f"{ONE}/a", f"{ONE}/b")) as first:
        assert first.is_in()
        assert first.source == f"{ONE}/a"
        with contending(client, (f"{ONE}/b", f"{ONE}/a")) as second:
            assert not second.is_in(0.3)
            assert (count(client, "held"), count(client, "waiting")) == (1, 1)
            first.leave()
            assert second.is_in()


def test_no_source_and_no_redis_are_errors() -> None:
    """Without a source there is nothing to wait for; without Redis none of them is asked."""
    url = f"redis://127.0.0.1:{servers.free_port()}/0"
    with open_leases(url) as client:
        with pytest.raises(UsageError), hold_any_lease(client, ()):
            pytest.fail("entered")
        refused = pytest.raises(
            BrokerUnreachable, match=r"origin\.example\.org:443 or https://mirror\.example\.org:443"
        )
        with refused, hold_any_lease(client, (ONE, TWO), away_seconds=0.3):
            pytest.fail("entered")


def test_one_source_is_the_plain_lease(client: redis.Redis) -> None:
    """Waiting for one source and for any of one is the same wait."""
    with contending(client, (ONE,)) as second:
        assert second.is_in()
        assert in_use(client, ONE) == 1
        second.leave()
        with hold_lease(client, ONE, 1, expiry_seconds=EXPIRY) as source:
            assert source == ONE
            assert in_use(client, ONE) == 1
