"""Indexes made by a fleet: a real Redis, real ``wikiq worker`` processes, SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from cli_process import kill, left_behind, wait_until, wikiq
from demo_truth import ARTICLES, told, truth
from test_redis import at_rest, broker, fleet_of, postgresql_url, rows, surroundings  # noqa: F401 fixtures

from cli.demosite.faults import Fault, Slow, Stall

pytestmark = pytest.mark.timeout(180)

TABLES = 5
UNREAD = "SELECT name FROM snapshot_table WHERE state <> 'done'"


def assert_answers(surroundings, demo):  # noqa: F811 the fixture's value
    """The day's answers by articles are the oracle's."""
    found = wikiq(surroundings, "results", str(demo.first_day), "--format", "json")
    expected = truth(demo.first_day).day(demo.first_day, universe=ARTICLES)
    assert (found.code, told(found.stdout)) == (0, expected), found.stderr


def test_two_workers(fleet_of, surroundings, postgresql_url, broker, site, demo):  # noqa: F811 fixtures
    """Two workers on PostgreSQL give the embedded run's answers; each file is fetched once, at most three at a time."""
    surroundings |= {"WIKIQ_DATABASE_URL": postgresql_url}
    site.misbehave(Fault("*.gz", Stall(0.05)))
    fleet = fleet_of(surroundings)
    day = str(demo.first_day)
    done = wikiq(surroundings, "enqueue", day, "--wait", "--source", site.url, timeout=100)
    assert (done.code, done.stdout) == (0, ""), (done.stderr, fleet.said)
    assert_answers(surroundings, demo)
    asked = [entry.path for entry in site.log if entry.path.endswith(".gz")]
    assert len(asked) == len(set(asked)) == 24 + TABLES + 1
    assert site.most_at_once <= 3
    wait_until(lambda: at_rest(broker) and not broker.llen("wikiq:index"), seconds=20)
    shown = wikiq(surroundings, "wiki", "show")
    assert (shown.code, "articles" in shown.stdout) == (0, True)
    assert "Traceback" not in fleet.said


def test_a_worker_is_killed_while_it_reads(fleet_of, surroundings, tmp_path, broker, site, demo):  # noqa: F811 fixtures
    """On SQLite a worker is killed in the middle of a table; the other goes on, and ``wikiq resume`` completes it."""
    data = tmp_path / "data"
    surroundings |= {"WIKIQ_SOURCE": site.url}
    site.misbehave(Fault("*-page.sql.gz", Slow(4_000)))
    fleet = fleet_of(surroundings, size=1)
    assert wikiq(surroundings, "enqueue", str(demo.first_day)).code == 0
    wait_until(lambda: any(path.stat().st_size > 2_000 for path in data.glob("downloads/*-page.sql.gz.part")))
    kill(fleet.running[0])
    assert ("page",) in rows(data, UNREAD)
    site.behave()
    fleet.start()
    fleet.start()
    done = wikiq(surroundings, "resume", "--wait", timeout=100)
    assert (done.code, done.stdout) == (0, ""), (done.stderr, fleet.said)
    assert_answers(surroundings, demo)
    assert rows(data, UNREAD) == []
    [(parts, attempts)] = rows(data, "SELECT count(DISTINCT part), count(DISTINCT attempt) FROM snapshot_block")
    assert (parts, attempts) == (4, 1)
    assert left_behind(data) == []
    again = [entry for entry in site.log if entry.path.endswith("-page.sql.gz")]
    assert [bool(entry.range) for entry in again] == [False, True]
