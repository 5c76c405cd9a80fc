"""Indexes made by a fleet: a real Redis, real ``wikiq worker`` processes, SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from cli_process import kill, wait_until
from fleet import empty_broker, fleet_on_postgresql, fleet_on_sqlite  # noqa: F401 fixtures

from cli.demosite.faults import Fault, Slow, Stall

pytestmark = pytest.mark.timeout(180)

TABLES = 5
UNREAD = "SELECT name FROM snapshot_table WHERE state <> 'done'"
BLOCKS = "SELECT count(DISTINCT part), count(DISTINCT attempt) FROM snapshot_block"


def test_two_workers(shared_fleet):
    """Two workers on PostgreSQL fetch each of the wiki's dumps once, from the source that was named."""
    fleet = shared_fleet
    fleet.site.misbehave(Fault("*.gz", Stall(0.05)))
    for _ in range(2):
        fleet.start(WIKIQ_SOURCE="http://127.0.0.1:9")
    fleet.wikiq("enqueue", str(fleet.day), "--wait", "--source", fleet.site.url)
    fleet.check()
    asked = [entry.path for entry in fleet.site.log if entry.path.endswith(".gz")]
    assert len(asked) == len(set(asked)) == 24 + TABLES + 1
    assert "articles" in fleet.wikiq("wiki", "show")
    assert "Traceback" not in fleet.said


def test_a_worker_is_killed_while_it_reads(fleet):
    """A worker is killed in the middle of a table; others go on with its download, and with nothing else of it."""
    fleet.site.misbehave(Fault("*-page.sql.gz", Slow(4_000)))
    worker = fleet.start()
    fleet.wikiq("enqueue", str(fleet.day))
    wait_until(lambda: any(size > 2_000 for name, size in fleet.parts().items() if "-page.sql" in name))
    kill(worker)
    assert ("page",) in fleet.rows(UNREAD)
    fleet.site.behave()
    fleet.start()
    fleet.start()
    fleet.resume()
    assert fleet.rows(UNREAD) == []
    assert fleet.rows(BLOCKS) == [(4, 1)]
    fleet.check(lost=1)
    again = [entry for entry in fleet.site.log if entry.path.endswith("-page.sql.gz")]
    assert [bool(entry.range) for entry in again] == [False, True]
