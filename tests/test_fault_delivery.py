"""Messages that are delivered more than once, and orders that are given more than once: everything is done once."""

from __future__ import annotations

import json
import time
from contextlib import closing

import pytest
from cli_process import wait_until
from fleet import LISTS, empty_broker, fleet_on_postgresql, fleet_on_sqlite, locked  # noqa: F401 fixtures

from cli.demosite.faults import Fault, Stall
from worker.app import make_app
from worker.settings import read_settings

pytestmark = pytest.mark.timeout(180)

A_WHILE = Fault("*-20231228-*.gz", Stall(0.1))
"""Long enough for some downloads to meet, on the first day only."""


def double(fleet):
    """Put a copy beside each message that waits."""
    for name in LISTS:
        for message in fleet.broker.lrange(name, 0, -1):
            fleet.broker.linsert(name, "BEFORE", message, message)


def restore(fleet):
    """Have kombu hand out again what a worker is working on, as it does after the visibility timeout; gives its id."""
    [(tag, message)] = fleet.broker.hgetall("wikiq:unacked").items()
    with closing(make_app(read_settings(fleet.environment)).connection()) as connection:
        connection.channel().qos.restore_by_tag(tag.decode())
    return json.loads(message)[0]["headers"]["id"]


def test_everything_is_delivered_twice(fleet):
    """Two copies of each message are worked on at once; each file is fetched and counted once, and the chord fires."""
    with fleet.begin("enqueue", str(fleet.day), "--wait") as waiting:
        wait_until(lambda: fleet.queued() == 24 + 1)
        double(fleet)
        assert fleet.queued() == 2 * (24 + 1)
        fleet.start("-c", "2", "-Q", "count,index")
        wait_until(lambda: fleet.broker.llen("wikiq:rank") and fleet.in_flight() == 0)
        double(fleet)
        fleet.start("-c", "2", "-Q", "rank")
        assert waiting.wait(60) == 0
    fleet.check()
    assert "Traceback" not in fleet.said


@pytest.mark.parametrize("machines", [1, 2])
def test_two_workers_on_one_hour(shared_fleet, tmp_path, machines):
    """A message comes back while its task is about to commit: the second worker neither disturbs nor repeats it."""
    fleet = shared_fleet
    elsewhere = tmp_path / f"machine-{machines}"
    data = fleet.data if machines == 1 else elsewhere
    with locked(fleet, "hour_tally"):
        fleet.start()
        fleet.wikiq("enqueue", str(fleet.day))
        wait_until(lambda: len(fleet.waiting_for_locks()) == 1)
        task = restore(fleet)
        fleet.start(WIKIQ_DATA_DIR=str(data))
        wait_until(lambda: fleet.said.count(f"[{task}] received") == 2)
        if machines == 1:
            # Long enough for it to ask the site, if it did not wait for the first one's lock on the file.
            time.sleep(1)
        wait_until(lambda: len(fleet.waiting_for_locks()) == machines)
    wait_until(fleet.ranked)
    fleet.check(interrupted=machines - 1, elsewhere=[elsewhere])
    assert "Traceback" not in fleet.said


def order_twice(fleet, *days, **variables):
    """Two processes that order the same; both are to follow it to its end."""
    fleet.site.misbehave(A_WHILE)
    return [fleet.begin("enqueue", *days, "--wait", **variables) for _ in range(2)]


def follow(fleet, orders):
    """Both end well."""
    ended = [order.communicate(timeout=100) for order in orders]
    assert [(order.returncode, stdout) for order, (stdout, _) in zip(orders, ended, strict=True)] == [(0, b"")] * 2, (
        ended,
        fleet.said,
    )
    assert b"Traceback" not in b"".join(stderr for _, stderr in ended)


def test_two_orders_of_a_week(shared_fleet):
    """Two orders at once for two workers of six processes: one set of answers, each file fetched once."""
    fleet = shared_fleet
    with locked(fleet, "answer"):
        orders = order_twice(fleet, *fleet.week)
        wait_until(lambda: len(fleet.waiting_for_locks()) == 2)
    fleet.start("-c", "3")
    fleet.start("-c", "3")
    follow(fleet, orders)
    fleet.check(week=True)


def test_two_orders_of_a_week_without_a_broker(fleet):
    """Two runs at once that share a directory: they share the work, its connections and its answers."""
    follow(fleet, order_twice(fleet, *fleet.week, WIKIQ_BROKER_URL=""))
    fleet.check(week=True)


def test_two_orders_without_a_broker_on_postgresql(shared_fleet):
    """The same on PostgreSQL, whose transactions do not wait for each other by themselves."""
    fleet = shared_fleet
    with locked(fleet, "answer"):
        orders = order_twice(fleet, str(fleet.day), WIKIQ_BROKER_URL="")
        wait_until(lambda: len(fleet.waiting_for_locks()) == 2)
    follow(fleet, orders)
    fleet.check()
