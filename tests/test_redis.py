"""A real Redis, real ``wikiq worker`` processes, and the real program that gives them work."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import ExitStack, closing

import pytest
import redis
import servers
from cli_process import environment, kill, left_behind, started, wait_until, wikiq
from demo_truth import told, truth

from cli.demosite.faults import Fault, Slow

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def broker(redis_url):
    """The broker, empty."""
    with closing(redis.Redis.from_url(redis_url, protocol=2)) as client:
        client.flushall()
        yield client


class Fleet:
    """Workers that end with the test."""

    def __init__(self, stack, surroundings, log):
        self._stack, self._surroundings, self._log = stack, surroundings, log
        self.running = []

    def start(self):
        worker = self._stack.enter_context(started(self._surroundings, "worker", "-c", "1", log=self._log))
        self.running.append(worker)
        return worker

    @property
    def said(self):
        return self._log.read_text()


@pytest.fixture
def surroundings(tmp_path, redis_url, broker):
    return environment(tmp_path, WIKIQ_BROKER_URL=redis_url, WIKIQ_SOURCE="http://127.0.0.1:9")


@pytest.fixture
def fleet_of(tmp_path):
    with ExitStack() as stack:

        def make(surroundings, size=2):
            fleet = Fleet(stack, surroundings, tmp_path / "workers.log")
            for _ in range(size):
                fleet.start()
            return fleet

        yield make


def unacked(broker):
    return broker.hlen("wikiq:unacked")


def queued(broker):
    return broker.llen("wikiq:count") + broker.llen("wikiq:rank")


def at_rest(broker, lost=0):
    """Whether nothing is queued or worked on, but for messages that a killed worker held."""
    return queued(broker) == 0 and unacked(broker) <= lost


def rows(data_dir, query):
    with closing(sqlite3.connect(f"file:{data_dir}/wikiq.sqlite?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def ledger(data_dir):
    """Each counted hour, and when it was counted."""
    found = rows(data_dir, "SELECT day, hour, counted_at FROM hour WHERE state = 'counted'")
    return {(day, hour): counted_at for day, hour, counted_at in found}


def ranked(data_dir):
    return rows(data_dir, "SELECT 1 FROM answer WHERE fingerprint IS NOT NULL")


@pytest.fixture
def postgresql_url(postgresql):
    with servers.fresh_database(postgresql, "wikiq_fleet") as url:
        yield url


def test_a_week_by_two_workers(fleet_of, surroundings, postgresql_url, broker, site, demo):
    """Two workers on PostgreSQL give the oracle's answers, fetch each file once, and leave nothing with the broker."""
    surroundings |= {"WIKIQ_DATABASE_URL": postgresql_url}
    fleet = fleet_of(surroundings)
    week = ("--week", "--start", str(demo.first_day))
    done = wikiq(surroundings, "enqueue", *week, "--wait", "--source", site.url, timeout=100)
    assert (done.code, done.stdout) == (0, ""), (done.stderr, fleet.said)
    found = wikiq(surroundings, "results", *week, "--format", "json")
    assert (found.code, told(found.stdout)) == (0, truth(demo.first_day).week(universe="articles"))
    asked = [entry.path for entry in site.log if "/pageviews-" in entry.path]
    assert len(asked) == len(set(asked)) == 168
    assert site.most_at_once <= 3
    wait_until(lambda: at_rest(broker), seconds=20)


def test_a_worker_is_killed(fleet_of, surroundings, tmp_path, broker, site, demo):
    """One of two workers on SQLite is killed at its work; ``wikiq resume`` completes it, no hour is counted twice."""
    surroundings |= {"WIKIQ_SOURCE": site.url}
    site.misbehave(Fault("*.gz", Slow(30_000)))
    week = ("--week", "--start", str(demo.first_day))
    done = wikiq(surroundings, "enqueue", *week)
    assert (done.code, queued(broker)) == (0, 7 * 24)
    fleet = fleet_of(surroundings)
    wait_until(lambda: len(ledger(tmp_path / "data")) >= 8)
    kill(fleet.running[0])
    before = ledger(tmp_path / "data")
    assert 8 <= len(before) < 168
    site.behave()
    fleet.start()
    done = wikiq(surroundings, "resume", "--wait", timeout=100)
    assert (done.code, done.stdout) == (0, ""), (done.stderr, fleet.said)
    after = ledger(tmp_path / "data")
    assert len(after) == 168
    assert before.items() <= after.items()
    # What was enqueued twice must not change anything either.
    wait_until(lambda: at_rest(broker, lost=1))
    assert ledger(tmp_path / "data") == after
    found = wikiq(surroundings, "results", *week, "--format", "json")
    assert (found.code, told(found.stdout)) == (0, truth(demo.first_day).week(universe="articles"))
    assert left_behind(tmp_path / "data") == []


def test_a_day_that_nobody_waits_for(fleet_of, surroundings, tmp_path, broker, site, demo):
    """A day that was only enqueued is ranked by its chord, and anew by force; an idle worker then ends on SIGTERM."""
    surroundings |= {"WIKIQ_SOURCE": site.url}
    fleet = fleet_of(surroundings, size=1)
    day = str(demo.first_day)
    assert wikiq(surroundings, "enqueue", day).code == 0
    wait_until(lambda: ranked(tmp_path / "data"))
    found = wikiq(surroundings, "results", day, "--format", "json")
    assert (found.code, told(found.stdout)) == (0, truth(demo.first_day).day(demo.first_day, universe="articles"))
    wait_until(lambda: at_rest(broker), seconds=20)
    before = ledger(tmp_path / "data")
    assert wikiq(surroundings, "enqueue", day, "--wait", "--force").code == 0
    after = ledger(tmp_path / "data")
    assert before.keys() == after.keys()
    assert [hour for hour in before if before[hour] == after[hour]] == []
    wait_until(lambda: at_rest(broker), seconds=20)
    fleet.running[0].send_signal(signal.SIGTERM)
    assert fleet.running[0].wait(30) == 0
    assert "Traceback" not in fleet.said


def test_a_ranking_that_fails_elsewhere(fleet_of, surroundings, tmp_path, broker, site, demo):
    """Where a worker's ranking fails, whoever waits for it is told so and does not wait for ever."""
    surroundings |= {"WIKIQ_SOURCE": site.url}
    with started(surroundings, "enqueue", str(demo.first_day), "--wait") as waiting:
        wait_until(lambda: queued(broker) == 24)
        with closing(sqlite3.connect(tmp_path / "data" / "wikiq.sqlite")) as connection:
            connection.execute("DROP TABLE ranked_article")
        fleet = fleet_of(surroundings, size=1)
        stdout, stderr = waiting.communicate(timeout=30)
    assert (waiting.returncode, stdout) == (1, b""), fleet.said
    assert b"wikiq resume" in stderr
    assert b"Traceback" not in stderr


def test_a_worker_without_a_broker(tmp_path):
    """A worker that was told of no broker says which variable is meant."""
    done = wikiq(environment(tmp_path), "worker")
    assert (done.code, done.stdout) == (2, "")
    assert "WIKIQ_BROKER_URL" in done.stderr
