"""An operator's figures, as the broker gives them: queues, tasks in flight, leases."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from cli_process import wait_until

from models.errors import BrokerUnreachable
from worker.app import make_app
from worker.budget import source_key
from worker.lease import hold_lease, open_leases
from worker.metrics import GROUPS, InFlight, Leases, read_broker
from worker.queues import KEY_PREFIX, RANK_QUEUE, in_flight_keys
from worker.settings import Settings

ORIGIN, MIRROR = "https://dumps.example.org", "http://user:geheim@mirror.example.org:8080/pub"
SHOWN = "https://dumps.example.org:443", "http://mirror.example.org:8080"
EXPIRY = 1.2
"""Seconds that a lease lives here: a young Redis gives none before a third of it is over."""


@pytest.fixture
def broker(redis_url):
    """The broker, empty, with the time outs that wikiq uses."""
    with closing(open_leases(redis_url)) as client:
        client.flushall()
        yield client


def test_an_empty_broker(broker):
    """Where there is nothing every number is zero, and each queue, group of queues and source is named."""
    found = read_broker(broker, [ORIGIN, MIRROR])
    assert found.messages == {"count": 0, "rank": 0, "index": 0}
    assert found.in_flight == dict.fromkeys(GROUPS, InFlight(0, 0.0))
    assert found.leases == tuple(Leases(source, 0, 0) for source in SHOWN)


def test_what_kombu_really_does(broker, redis_url, tmp_path):
    """A message that is sent waits in its queue; one that a worker of that queue holds is in flight, for so long."""
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/w.sqlite", redis_url, (ORIGIN,), None)
    wikiq = make_app(settings, [RANK_QUEUE])
    for _ in range(3):
        wikiq.send_task("wikiq.rank_week", ("2024-01-01", "en.wikipedia", "articles"))
    wikiq.send_task("wikiq.index_wiki", ("en.wikipedia",))
    assert read_broker(broker, []).messages == {"count": 0, "rank": 3, "index": 1}
    with wikiq.connection_for_read() as connection, connection.SimpleQueue(wikiq.amqp.queues["rank"]) as queue:
        held = [queue.get(timeout=10) for _ in range(2)]
        wait_until(lambda: read_broker(broker, []).in_flight["rank",].oldest_seconds > 1, seconds=10)
        found = read_broker(broker, [])
        assert (found.messages["rank"], found.in_flight["rank",].tasks) == (1, 2)
        assert 1 < found.in_flight["rank",].oldest_seconds < 30
        assert sum(group.tasks for group in found.in_flight.values()) == 2
        for message in held:
            message.ack()
    assert read_broker(broker, []).in_flight == dict.fromkeys(GROUPS, InFlight(0, 0.0))


def test_the_oldest_task_counts(broker):
    """Of several tasks the age is that of the oldest; a clock that is ahead gives none below zero."""
    now = broker.time()[0]
    for group, delivered in ((("count",), [now - 90, now - 7200]), (("count", "index", "rank"), [now + 3600])):
        keys = in_flight_keys(group)
        for number, moment in enumerate(delivered):
            broker.hset(KEY_PREFIX + keys["unacked_key"], str(number), "{}")
            broker.zadd(KEY_PREFIX + keys["unacked_index_key"], {str(number): moment})
    found = read_broker(broker, []).in_flight
    assert found["count",].tasks == 2
    assert 7200 <= found["count",].oldest_seconds < 7260
    assert found["count", "index", "rank"] == InFlight(1, 0.0)


def test_leases(broker):
    """Connections that are held, and those who wait for one, are told per source; who is gone does not count."""
    held, go = threading.Event(), threading.Event()

    def hold():
        with hold_lease(broker, ORIGIN, 1, expiry_seconds=EXPIRY):
            held.set()
            go.wait(30)

    threads = [threading.Thread(target=hold) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        assert held.wait(30)
        for part in ("held", "alive"):
            broker.zadd(f"wikiq:lease:{source_key(MIRROR)}:{part}", {"dead": broker.time()[0] * 1e6 - 1})
        wait_until(lambda: read_broker(broker, [ORIGIN]).leases == (Leases(SHOWN[0], 1, 2),), seconds=10)
        assert read_broker(broker, [MIRROR, ORIGIN, ORIGIN]).leases == (Leases(SHOWN[1], 0, 0), Leases(SHOWN[0], 1, 2))
    finally:
        go.set()
        for thread in threads:
            thread.join(30)
    assert read_broker(broker, [ORIGIN]).leases == (Leases(SHOWN[0], 0, 0),)


def test_a_broker_that_is_not_there():
    """Where nobody listens that is said at once, and without the password."""
    with pytest.raises(BrokerUnreachable) as caught, closing(open_leases("redis://:geheim@127.0.0.1:9/0")) as nobody:
        read_broker(nobody, [ORIGIN])
    assert "geheim" not in str(caught.value)


def test_another_program_s_keys(broker):
    """A key of another kind under our name is a broker that cannot be used, not an exporter that breaks."""
    broker.set("wikiq:count", "x")
    with pytest.raises(BrokerUnreachable):
        read_broker(broker, [])
